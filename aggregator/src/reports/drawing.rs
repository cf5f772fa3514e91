//! A report as a page that stands alone and prints well, and as a table for spreadsheets.

use super::{Cell, Content};
use std::fmt::Write;

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2rem;color:#111;background:#fff}\
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #bbb;padding:.3rem .5rem;\
text-align:left;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
thead{display:table-header-group}tr{break-inside:avoid}@media print{body{margin:0;font-size:10pt}}";

/// One page without scripts and without anything from elsewhere.
#[must_use]
pub fn html(content: &Content) -> String {
    let mut page = String::with_capacity(256 * (content.rows.len() + 8));
    let title = escaped(&content.title);
    let (from, to) = (escaped(&content.from), escaped(&content.to));
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} {from} – \
         {to}</title><style>{STYLE}</style></head><body><h1>{title}</h1><p>{from} – \
         {to}</p><table><thead><tr>"
    );
    for column in &content.columns {
        let unit = column.unit.as_ref().map_or_else(String::new, |unit| format!(" ({unit})"));
        let class = if column.unit.is_some() { " class=\"n\"" } else { "" };
        let _ = write!(
            page,
            "<th scope=\"col\"{class}>{}{}</th>",
            escaped(&column.name),
            escaped(&unit)
        );
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in &content.rows {
        page.push_str("<tr>");
        for cell in row {
            let _ = match cell {
                Cell::Number(number) => write!(page, "<td class=\"n\">{number}</td>"),
                Cell::Text(text) => write!(page, "<td>{}</td>", escaped(text)),
                Cell::Nothing => write!(page, "<td></td>"),
            };
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>");
    if content.rows.is_empty() {
        page.push_str("<p>There is nothing to show in this range.</p>");
    }
    for note in &content.notes {
        let _ = write!(page, "<p>{}</p>", escaped(note));
    }
    page.push_str("</body></html>\n");
    page
}

/// RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front;
/// numbers are numbers.
#[must_use]
pub fn csv(content: &Content) -> String {
    let mut table = String::new();
    let names = content.columns.iter().map(|column| match &column.unit {
        Some(unit) => text(&format!("{} [{unit}]", column.name)),
        None => text(&column.name),
    });
    table.push_str(&names.collect::<Vec<_>>().join(","));
    table.push_str("\r\n");
    for row in &content.rows {
        let fields = row.iter().map(|cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::Text(field) => text(field),
            Cell::Nothing => String::new(),
        });
        table.push_str(&fields.collect::<Vec<_>>().join(","));
        table.push_str("\r\n");
    }
    table
}

fn text(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\r', '\n', ';', '\t']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::Column;
    use super::*;

    fn content(texts: &[&str]) -> Content {
        let column = |name: &str| Column { name: name.into(), unit: None };
        let row = |text: &&str| vec![Cell::Text((*text).into()), Cell::Number(-1.5)];
        Content {
            title: "Energy".into(),
            from: "a".into(),
            to: "b".into(),
            columns: vec![column("Text"), column("Number")],
            rows: texts.iter().map(row).collect(),
            notes: vec![],
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_numbers_stay_numbers() {
        let texts =
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", "=cmd|'/c calc'!A1,\"x\""];
        let table = csv(&content(&texts));
        insta::assert_snapshot!(table.replace('\r', "<CR>").replace('\t', "<TAB>"), @r#"
        Text,Number<CR>
        '=1+1,-1.5<CR>
        '+1,-1.5<CR>
        '-1,-1.5<CR>
        '@SUM(A1),-1.5<CR>
        "'<TAB>=1",-1.5<CR>
        "'<CR>=1",-1.5<CR>
        a=1,-1.5<CR>
        "'=cmd|'/c calc'!A1,""x""",-1.5<CR>
        "#);
    }

    #[test]
    fn no_text_is_markup_and_the_page_asks_nobody_for_anything() {
        let page = html(&content(&["<script>alert(1)</script>", "\" onload='x'", "a & b"]));
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
        assert!(page.contains("&quot; onload=&#39;x&#39;"), "{page}");
        assert!(!page.contains("http") && !page.contains("src=") && !page.contains("url("));
        assert!(page.contains("<td class=\"n\">-1.5</td>"));
    }
}
