//! A page as one self-contained HTML file: pictures are embedded, there is no script, nothing is fetched.

use super::page::{PageBlock, PageTable, ReportPage, Section};

/// Wide tables scroll; pictures shrink on a phone and keep a white background in dark mode.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#222;--soft:#666;--ground:#fff;--line:#ddd;--box:#f4f4f4;--link:#0b57a4}
@media(prefers-color-scheme:dark){:root{--ink:#e4e4e4;--soft:#a2a2a2;--ground:#181a1b;--line:#3a3d3f;--box:#242729;--link:#8ab8ec}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:54rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-top:1px solid var(--line);padding-top:1.2rem}
nav{display:flex;margin-top:1.2rem;flex-wrap:wrap;gap:.2rem 1rem;font-size:.9rem}a{color:var(--link)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
.numbers th+th,.numbers td+td{text-align:right;white-space:nowrap}
figure{margin:1.2rem 0}figcaption{color:var(--soft);margin-bottom:.4rem}
img{display:block;max-width:100%;height:auto;background:#fff;border-radius:4px}
pre{background:var(--box);padding:.7rem;border-radius:4px;overflow-x:auto;margin:.3rem 0 1rem}
";

/// The page as HTML. `read` returns the bytes of a picture; a picture without bytes is left out.
pub(super) fn html(page: &ReportPage, read: impl Fn(&str) -> Option<Vec<u8>>) -> String {
    let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
    let title = text(&page.title);
    let headed = || page.sections.iter().enumerate().filter(|(_, section)| !section.heading.is_empty());
    let links: String = headed().map(|(i, s)| format!("<a href=\"#s{i}\">{}</a>\n", text(s.heading))).collect();
    let heading = |i: usize, section: &Section| match section.heading {
        "" => String::new(),
        words => format!("<h2 id=\"s{i}\">{}</h2>\n", text(words)),
    };
    let blocks = |section: &Section| section.blocks.iter().map(|b| block(b, &read)).collect::<String>();
    let sections = page.sections.iter().enumerate().map(|(i, s)| heading(i, s) + &blocks(s));
    // The table of contents follows the blocks under the title.
    let at = page.sections.iter().position(|s| !s.heading.is_empty()).unwrap_or(page.sections.len());
    let mut sections: Vec<String> = sections.collect();
    sections.insert(at, format!("<nav>\n{links}</nav>\n"));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{}</body>\n</html>\n",
        sections.concat()
    )
}

fn block(block: &PageBlock, read: &impl Fn(&str) -> Option<Vec<u8>>) -> String {
    match block {
        PageBlock::Text(words) => format!("<p>{}</p>\n", text(words)),
        PageBlock::Table(words) => table(words),
        PageBlock::Picture(file, caption) => read(file).map_or_else(String::new, |bytes| {
            let (caption, kind) = (text(caption), if file.ends_with(".gif") { "gif" } else { "png" });
            let data = base64(&bytes);
            let image = format!("<img alt=\"{caption}\" src=\"data:image/{kind};base64,{data}\">");
            format!("<figure>\n<figcaption>{caption}</figcaption>\n{image}\n</figure>\n")
        }),
        PageBlock::Command(why, command) => format!("<p>{}</p>\n<pre>{}</pre>\n", text(why), text(command)),
    }
}

fn table(table: &PageTable) -> String {
    let row = |cells: &[String], tag: &str| {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", text(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let class = if table.numbers { " class=\"numbers\"" } else { "" };
    let rows: String = table.rows.iter().map(|cells| row(cells, "td")).collect();
    format!("<div class=\"wide\"><table{class}>\n{}{rows}</table></div>\n", row(&table.head, "th"))
}

/// Escaped text, for an element or an attribute.
fn text(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for k in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * k) & 63) as usize];
            out.push(if k <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, want) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), want);
        }
        assert_eq!(base64(&[0xFB, 0xFF, 0xBF]), "+/+/");
    }

    #[test]
    fn every_text_is_escaped_and_pictures_are_embedded() {
        let bad = "\"><script src='http://x/'>&";
        let words = || bad.to_owned();
        let table = PageTable { head: vec![words()], rows: vec![vec![words()]], numbers: true };
        let blocks = vec![
            PageBlock::Text(words()),
            PageBlock::Table(table),
            PageBlock::Picture("a.png".into(), words()),
            PageBlock::Picture("a.gif".into(), words()),
            PageBlock::Picture("lost.png".into(), words()),
            PageBlock::Command(words(), words()),
        ];
        let page =
            ReportPage { title: words(), sections: vec![Section::default(), Section { heading: "<next>", blocks }] };
        let html = html(&page, |file| (!file.starts_with("lost")).then(|| b"foob".to_vec()));
        assert_eq!(html.matches("&quot;&gt;&lt;script src=&#39;http://x/&#39;&gt;&amp;").count(), 2 + 1 + 2 + 4 + 2);
        assert!(!html.contains("<script") && !html.contains("<next>"), "{html}");
        let sources: Vec<&str> = html.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(sources, ["data:image/png;base64,Zm9vYg==", "data:image/gif;base64,Zm9vYg=="]);
        assert!(html.contains("<a href=\"#s1\">") && html.contains("<h2 id=\"s1\">"));
    }
}
