"""Prints what h5py finds in a shard, as one JSON object: attributes, names, and each array's type, shape and bytes."""

import json
import sys

import h5py

found = {"arrays": {}}


def visit(name, item):
    if isinstance(item, h5py.Dataset):
        data = item[()]
        found["arrays"][name] = {"dtype": data.dtype.str, "shape": list(data.shape), "hex": data.tobytes().hex()}


with h5py.File(sys.argv[1], "r") as shard:
    shard.visititems(visit)
    image = shard["observations/image"]
    found["image_filters"] = [list(image.chunks), image.compression, image.compression_opts, image.shuffle]
    found["names"] = list(shard["state"].attrs["names"]) if "state" in shard else None
    found["attrs"] = {k: v if isinstance(v, str) else int(v) for k, v in shard.attrs.items()}
print(json.dumps(found))
