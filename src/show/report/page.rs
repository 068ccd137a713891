//! A page as headings, texts, tables, pictures and commands: one model, which [`markdown`] and `html` write down.

/// Sections in the order of reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) sections: Vec<Section>,
}

/// What stands under a heading; without one under the title.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// All texts are plain; whoever writes them down escapes them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    Text(String),
    Table(Table),
    /// A file relative to the page, and what it shows.
    Picture(String, String),
    /// (when to use it, command).
    Command(String, String),
}

/// Rows as long as the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// All columns but the first hold numbers.
    pub(super) numbers: bool,
}

/// The page as GitHub's Markdown.
pub(super) fn markdown(page: &Page) -> String {
    let heading = |section: &Section| match section.heading {
        "" => String::new(),
        words => format!("\n## {words}\n"),
    };
    let section = |s: &Section| heading(s) + &s.blocks.iter().map(block).collect::<String>();
    format!("# {}\n", plain(&page.title)) + &page.sections.iter().map(section).collect::<String>()
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(text) => format!("\n{}\n", plain(text)),
        Block::Table(table) => {
            let row = |cells: &[String]| {
                format!("|{}\n", cells.iter().map(|c| format!(" {} |", plain(c))).collect::<String>())
            };
            let rule = |i: usize| if table.numbers && i > 0 { "---:|" } else { ":---|" };
            let rules: String = (0..table.head.len()).map(rule).collect();
            let rows: String = table.rows.iter().map(|cells| row(cells)).collect();
            format!("\n{}|{rules}\n{rows}", row(&table.head))
        }
        Block::Picture(file, caption) => format!("\n{}\n\n![{}]({file})\n", plain(caption), plain(caption)),
        Block::Command(why, command) => format!("\n{}\n\n```sh\n{command}\n```\n", plain(why)),
    }
}

/// On one line, without what Markdown would take for markup.
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
    fn a_page_is_this_markdown() {
        let cells = |words: [&str; 2]| words.map(String::from).to_vec();
        let table =
            |numbers| Block::Table(Table { head: cells(["a|b", "n"]), rows: vec![cells(["x\ny", "3"])], numbers });
        let page = Page {
            title: "t*".into(),
            sections: vec![
                Section { heading: "", blocks: vec![Block::Text("see [it](x) <b>".into()), table(true)] },
                Section {
                    heading: "Then",
                    blocks: vec![
                        table(false),
                        Block::Picture("plots/a.png".into(), "A `picture`".into()),
                        Block::Command("Now".into(), "skewfit plot 'a|b'".into()),
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
