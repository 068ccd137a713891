"""Prints everything that h5py finds in an export, as JSON: arrays as (type, shape, bytes in hexadecimal)."""

import json
import sys

import h5py
import numpy as np


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


with h5py.File(sys.argv[1]) as file:
    told = {"attrs": {name: plain(value) for name, value in file.attrs.items()}, "groups": {}}
    for name, group in file.items():
        arrays = {}
        group.visititems(lambda at, node: arrays.update({at: node}) if isinstance(node, h5py.Dataset) else None)
        told["groups"][name] = {
            "attrs": {key: plain(value) for key, value in group.attrs.items()},
            "arrays": {at: [a.dtype.str, a.shape, a[()].tobytes().hex()] for at, a in arrays.items()},
            "names": list(group["infos/state"].attrs["names"]),
        }
print(json.dumps(told))
