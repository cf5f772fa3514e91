//! One run as a picture: temperature, fan, and power over time, with what the guard said.

use crate::trace::{Sample, Trace};
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

const SIZE: (u32, u32) = (960, 720);
const INK: RGBColor = RGBColor(68, 68, 68);
const HEAT: RGBColor = RGBColor(196, 60, 36);
const FAN: RGBColor = RGBColor(36, 110, 160);
const POWER: RGBColor = RGBColor(150, 110, 20);
const CAP: RGBColor = RGBColor(90, 60, 140);

/// One line: its name, its colour, and what of a sample it shows.
type Line<'a> = (&'a str, RGBColor, fn(&Sample) -> f64);

/// One panel: its title, its range, and its lines.
struct Panel<'a> {
    title: &'a str,
    range: Range<f64>,
    lines: Vec<Line<'a>>,
    levels: Vec<(&'a str, f64)>,
}

/// Draws `trace` as SVG; `levels` are thresholds of the temperature by their names.
///
/// # Errors
/// Where it can't be drawn.
pub fn draw(trace: &Trace, title: &str, levels: &[(&str, f64)]) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(|error| anyhow!("{error}"))?;
        let area = area.titled(title, ("sans-serif", 20).into_font().color(&INK));
        let area = area.map_err(|error| anyhow!("{error}"))?;
        let panels = [
            Panel {
                title: "temperature, °C",
                range: 20.0..115.0,
                lines: vec![("the die", HEAT, |sample| sample.celsius)],
                levels: levels.to_vec(),
            },
            Panel {
                title: "fan, %",
                range: 0.0..105.0,
                lines: vec![("fan", FAN, |sample| sample.fan_percent)],
                levels: Vec::new(),
            },
            Panel {
                title: "power, W",
                range: 0.0..420.0,
                lines: vec![
                    ("drawn", POWER, |sample| sample.watts),
                    ("cap", CAP, |sample| sample.cap_watts),
                ],
                levels: Vec::new(),
            },
        ];
        let (top, rest) = area.split_vertically(340);
        let (middle, bottom) = rest.split_vertically(150);
        for (panel, place) in panels.iter().zip([top, middle, bottom]) {
            draw_panel(panel, trace, &place).map_err(|error| anyhow!("{error}"))?;
        }
    }
    Ok(svg)
}

fn draw_panel<B: DrawingBackend>(
    panel: &Panel<'_>,
    trace: &Trace,
    place: &DrawingArea<B, plotters::coord::Shift>,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let end = trace.samples.last().map_or(1.0, |sample| sample.at_s);
    let mut chart = ChartBuilder::on(place)
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..end, panel.range.clone())?;
    chart
        .configure_mesh()
        .x_labels(10)
        .y_labels(5)
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.12))
        .axis_style(INK)
        .y_desc(panel.title)
        .x_label_formatter(&|seconds| format!("{seconds:.0} s"))
        .label_style(("sans-serif", 12).into_font().color(&INK))
        .draw()?;
    let right = Pos::new(HPos::Right, VPos::Bottom);
    let small = ("sans-serif", 11).into_font().color(&INK).pos(right);
    for (name, level) in &panel.levels {
        let line = [(0.0, *level), (end, *level)];
        chart.draw_series(DashedLineSeries::new(line, 4, 4, INK.mix(0.5).stroke_width(1)))?;
        chart.draw_series([Text::new(format!("{name} {level:.0} °C"), (end, *level), &small)])?;
    }
    // One beside the other: lines that end together would cover each other's names.
    let places = (1_u8..).map(|number| end * (1.06 - 0.06 * f64::from(number)));
    for ((name, colour, value), place) in panel.lines.iter().zip(places) {
        let points = trace.samples.iter().map(|sample| (sample.at_s, value(sample)));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        let Some(last) = trace.samples.last() else { continue };
        let style = ("sans-serif", 12).into_font().color(colour).pos(right);
        chart.draw_series([Text::new((*name).to_owned(), (place, value(last)), &style)])?;
    }
    // What was said stands at its moment, on the uppermost panel only.
    if !panel.levels.is_empty() {
        let left = Pos::new(HPos::Left, VPos::Top);
        let style = ("sans-serif", 11).into_font().color(&INK).pos(left);
        for (number, mark) in trace.marks.iter().enumerate() {
            let height =
                panel.range.end - 4.0 - 5.0 * f64::from(u8::try_from(number % 3).unwrap_or(0));
            let line = [(mark.at_s, panel.range.start), (mark.at_s, panel.range.end)];
            chart.draw_series(LineSeries::new(line, INK.mix(0.3).stroke_width(1)))?;
            let place = (mark.at_s + end / 300.0, height);
            chart.draw_series([Text::new(mark.text.clone(), place, &style)])?;
        }
    }
    Ok(())
}
