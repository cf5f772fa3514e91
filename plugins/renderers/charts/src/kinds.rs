//! The kinds of charts by name.

use charts_rs::Error;

type Draw = fn(&str) -> Result<String, Error>;

macro_rules! kinds {
    ($($name:literal => $chart:ident),+ $(,)?) => {
        const KINDS: &[(&str, Draw)] = &[
            $(($name, |json| charts_rs::$chart::from_json(json)?.svg())),+
        ];
    };
}

kinds! {
    "bar" => BarChart,
    "box_plot" => BoxPlotChart,
    "bullet" => BulletChart,
    "candlestick" => CandlestickChart,
    "chord" => ChordChart,
    "funnel" => FunnelChart,
    "gantt" => GanttChart,
    "gauge" => GaugeChart,
    "graph" => GraphChart,
    "heatmap" => HeatmapChart,
    "histogram" => HistogramChart,
    "horizontal_bar" => HorizontalBarChart,
    "line" => LineChart,
    "lines" => LinesChart,
    "parallel" => ParallelChart,
    "pie" => PieChart,
    "polar_bar" => PolarBarChart,
    "radar" => RadarChart,
    "sankey" => SankeyChart,
    "scatter" => ScatterChart,
    "sunburst" => SunburstChart,
    "table" => TableChart,
    "tree" => TreeChart,
    "treemap" => TreemapChart,
    "waterfall" => WaterfallChart,
}

#[must_use]
pub(crate) fn names() -> Vec<&'static str> {
    KINDS.iter().map(|(name, _)| *name).collect()
}

#[must_use]
pub(crate) fn find(name: &str) -> Option<Draw> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, draw)| *draw)
}
