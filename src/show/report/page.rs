//! A page model: headings, texts, tables, pictures and commands. [`markdown`] and `html` render it.

/// A title and sections in reading order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReportPage {
    pub(super) title: String,
    pub(super) sections: Vec<Section>,
}

/// Blocks under a heading; an empty heading puts them directly under the title.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) blocks: Vec<PageBlock>,
}

/// All texts are plain; the renderers escape them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PageBlock {
    Text(String),
    Table(PageTable),
    /// (file relative to the page, caption).
    Picture(String, String),
    /// (when to use it, command).
    Command(String, String),
}

/// A table; each row is as long as the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PageTable {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// All columns but the first hold numbers.
    pub(super) numbers: bool,
}

/// The page as GitHub Markdown.
pub(super) fn markdown(page: &ReportPage) -> String {
    let heading = |section: &Section| match section.heading {
        "" => String::new(),
        words => format!("\n## {words}\n"),
    };
    let section = |s: &Section| heading(s) + &s.blocks.iter().map(block).collect::<String>();
    format!("# {}\n", plain(&page.title)) + &page.sections.iter().map(section).collect::<String>()
}

fn block(block: &PageBlock) -> String {
    match block {
        PageBlock::Text(text) => format!("\n{}\n", plain(text)),
        PageBlock::Table(table) => {
            let row = |cells: &[String]| {
                format!("|{}\n", cells.iter().map(|c| format!(" {} |", plain(c))).collect::<String>())
            };
            let rule = |i: usize| if table.numbers && i > 0 { "---:|" } else { ":---|" };
            let rules: String = (0..table.head.len()).map(rule).collect();
            let rows: String = table.rows.iter().map(|cells| row(cells)).collect();
            format!("\n{}|{rules}\n{rows}", row(&table.head))
        }
        PageBlock::Picture(file, caption) => format!("\n{}\n\n![{}]({file})\n", plain(caption), plain(caption)),
        PageBlock::Command(why, command) => format!("\n{}\n\n```sh\n{command}\n```\n", plain(why)),
    }
}

/// The text on one line, with Markdown's special characters escaped.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '\\' | '|' | '`' | '*' | '[' | ']' | '<' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_rendered_as_markdown() {
        let cells = |words: [&str; 2]| words.map(String::from).to_vec();
        let table = |numbers| {
            PageBlock::Table(PageTable { head: cells(["a|b", "n"]), rows: vec![cells(["x\ny", "3"])], numbers })
        };
        let page = ReportPage {
            title: "t*".into(),
            sections: vec![
                Section { heading: "", blocks: vec![PageBlock::Text("see [it](x) <b>".into()), table(true)] },
                Section {
                    heading: "Then",
                    blocks: vec![
                        table(false),
                        PageBlock::Picture("plots/a.png".into(), "A `picture`".into()),
                        PageBlock::Command("Now".into(), "skewfit plot 'a|b'".into()),
                    ],
                },
            ],
        };
        let want = "# t\\*\n\nsee \\[it\\](x) \\<b>\n\n| a\\|b | n |\n|:---|---:|\n| x y | 3 |\n\n## Then\n\n| a\\|b | n |\n\
                    |:---|:---|\n| x y | 3 |\n\nA \\`picture\\`\n\n![A \\`picture\\`](plots/a.png)\n\nNow\n\n\
                    ```sh\nskewfit plot 'a|b'\n```\n";
        assert_eq!(markdown(&page), want);
    }
}
