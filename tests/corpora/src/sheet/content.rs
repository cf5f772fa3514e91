//! What the sheet of all renderers shows: each kind of diagram once.

use super::{Entry, Sheet};

const FAN: &str = "digraph { rankdir=LR; node [shape=box style=rounded]; \
    sensor -> guard -> fan; guard -> agent -> aggregator; agent -> spool; \
    aggregator -> console [label=\"live\"]; fan -> sensor [style=dashed label=air] }";
const RING: &str = "graph { node [shape=circle width=.35 fixedsize=true style=filled fillcolor=lightblue]; \
    a--b--c--d--e--f--a; a--d; b--e; c--f; a--g; d--h; g--h }";
const TREEMAP: &str = "graph { node [style=filled]; \
    subgraph cluster_a { a [area=4 fillcolor=salmon]; b [area=2 fillcolor=gold] } \
    subgraph cluster_b { c [area=3 fillcolor=lightgreen]; d [area=1 fillcolor=skyblue]; e [area=1] } }";

const GRAPHVIZ: [(&str, &str, &str); 8] = [
    ("dot", FAN, "dot"),
    ("neato", RING, "neato"),
    ("fdp", RING, "fdp"),
    ("sfdp", RING, "sfdp"),
    ("twopi", RING, "twopi"),
    ("circo", RING, "circo"),
    ("osage", TREEMAP, "osage"),
    ("patchwork", TREEMAP, "patchwork"),
];

const MERMAID: [(&str, &str); 12] = [
    (
        "flowchart",
        "flowchart LR\n  A[Reading] --> B{Too hot?}\n  B -- yes --> C([Fans up])\n  B -- no --> D[(Journal)]\n  C --> D",
    ),
    (
        "sequence",
        "sequenceDiagram\n  participant O as Operator\n  participant A as Aggregator\n  O->>+A: command\n  A->>Agent: signed\n  Agent-->>A: verdict\n  A-->>-O: done\n  Note over A,Agent: within 2 s",
    ),
    (
        "class",
        "classDiagram\n  class Sensor {\n    +celsius() f64\n  }\n  class Fan {\n    +set(percent)\n  }\n  Sensor <|-- Thermistor\n  Board *-- Sensor\n  Board *-- Fan",
    ),
    (
        "state",
        "stateDiagram-v2\n  [*] --> Normal\n  Normal --> Hot: 85 °C\n  Hot --> Normal: 80 °C\n  Hot --> Tripped: 95 °C\n  Tripped --> [*]",
    ),
    (
        "entities",
        "erDiagram\n  SITE ||--o{ DEVICE : has\n  DEVICE ||--|{ SERIES : measures\n  DEVICE { uuid id\n string name }",
    ),
    (
        "gantt",
        "gantt\n  title Rollout\n  dateFormat YYYY-MM-DD\n  section Site A\n  Canary :done, a1, 2026-01-05, 2d\n  Rest :active, a2, after a1, 4d\n  section Site B\n  All :crit, 2026-01-09, 3d",
    ),
    (
        "pie",
        "pie showData title Absence by reason\n  \"stale\" : 42\n  \"unsupported\" : 30\n  \"unreachable\" : 12",
    ),
    (
        "mind map",
        "mindmap\n  root((Edge))\n    Guard\n      Engine\n      Journal\n    Agent\n      Spool\n    Plugins",
    ),
    (
        "timeline",
        "timeline\n  title A trip\n  0 ms : reading\n  1 ms : fans full : caps down\n  100 ms : record on disk\n  101 ms : power off",
    ),
    (
        "git graph",
        "gitGraph\n  commit\n  branch render\n  commit\n  commit\n  checkout main\n  merge render\n  commit",
    ),
    (
        "quadrants",
        "quadrantChart\n  title Sensors\n  x-axis slow --> fast\n  y-axis rough --> exact\n  quadrant-1 keep\n  quadrant-3 drop\n  Diode: [0.8, 0.7]\n  Zone: [0.3, 0.2]",
    ),
    (
        "xy chart",
        "xychart-beta\n  title \"Fan by heat\"\n  x-axis [40, 50, 60, 70, 80]\n  y-axis \"percent\" 0 --> 100\n  bar [20, 25, 40, 70, 100]\n  line [20, 25, 40, 70, 100]",
    ),
];

const PLANTUML: [(&str, &str); 12] = [
    (
        "sequence",
        "@startuml\nactor Operator\nparticipant Guard\ndatabase Journal\nOperator -> Guard : propose\nalt within limits\nGuard -> Journal : accepted\nelse\nGuard --> Operator : refused\nend\n@enduml",
    ),
    (
        "class",
        "@startuml\ninterface Actuator {\n+set(level)\n}\nclass Fan\nclass Cap\nActuator <|.. Fan\nActuator <|.. Cap\nEngine o-- Actuator : drives\n@enduml",
    ),
    (
        "activity",
        "@startuml\nstart\n:read;\nif (hot?) then (yes)\n:fans up;\nelse (no)\n:wait;\nendif\nrepeat\n:write journal;\nrepeat while (full?) is (yes)\nstop\n@enduml",
    ),
    (
        "component",
        "@startuml\npackage Host {\n[Guard] --> [Agent]\n[Agent] ..> [Runner]\n}\ncloud Net\ndatabase Store\n[Agent] --> Net\nNet --> Store\n@enduml",
    ),
    (
        "use case",
        "@startuml\nleft to right direction\nactor Operator as o\nrectangle Console {\nusecase \"see heat\" as a\nusecase \"stop a machine\" as b\n}\no --> a\no --> b\n@enduml",
    ),
    (
        "state",
        "@startuml\n[*] --> Normal\nstate Hot {\n[*] --> FansUp\nFansUp --> Capped\n}\nNormal --> Hot : 85\nHot --> [*] : trip\n@enduml",
    ),
    (
        "mind map",
        "@startmindmap\n* Edge\n** Guard\n*** Engine\n** Agent\nleft side\n** Plugins\n*** Renderers\n@endmindmap",
    ),
    (
        "work breakdown",
        "@startwbs\n* Release\n** Build\n*** Guests\n*** Programs\n** Test\n@endwbs",
    ),
    (
        "gantt",
        "@startgantt\n[Canary] lasts 2 days\n[Rest] lasts 5 days\n[Rest] starts at [Canary]'s end\n[Look] happens at [Rest]'s end\n@endgantt",
    ),
    (
        "JSON",
        "@startjson\n{\"device\": \"rack 7\", \"celsius\": 61.5, \"fans\": [30, 35], \"ok\": true}\n@endjson",
    ),
    (
        "wireframe",
        "@startsalt\n{+\nName | \"rack 7\"\nLimit | \"85 \"\n[X] Alerts | [ ] Mail\n[Cancel] | [  OK  ]\n}\n@endsalt",
    ),
    ("EBNF", "@startebnf\nreading = value | reason;\nvalue = [\"-\"], digit, {digit};\n@endebnf"),
];

const LATEX: [(&str, &str); 4] = [
    ("fractions and roots", r"x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}"),
    (
        "sums and limits",
        r"\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2} \qquad \sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}",
    ),
    (
        "matrices and cases",
        r"A = \begin{pmatrix} a & b \\ c & d \end{pmatrix} \quad f(x) = \begin{cases} x & x \ge 0 \\ -x & x < 0 \end{cases}",
    ),
    (
        "aligned, in colour",
        r"\begin{aligned} \nabla \cdot \mathbf{E} &= \tfrac{\rho}{\varepsilon_0} \\ \nabla \times \mathbf{B} &= \mu_0 \mathbf{J} + \color{#c0392b}\mu_0 \varepsilon_0 \tfrac{\partial \mathbf{E}}{\partial t} \end{aligned}",
    ),
];

const D2: [(&str, &str); 4] = [
    (
        "shapes",
        "direction: right\na: Reading {shape: oval}\nb: Engine {shape: hexagon; style.fill: \"#d6eaf8\"}\nc: Journal {shape: cylinder}\nd: Operator {shape: person}\na -> b: \"10 Hz\"\nb -> c\nd -> b: proposes",
    ),
    (
        "containers",
        "direction: right\nhost: Host {\n  guard: Guard\n  agent: Agent\n  guard <-> agent\n}\ncloud: Aggregator {\n  ingest\n  store\n  ingest -> store\n}\nhost.agent -> cloud.ingest: QUIC",
    ),
    (
        "styles",
        "a: Normal {style.fill: \"#d5f5e3\"; style.border-radius: 8}\nb: Hot {style.fill: \"#fadbd8\"; style.stroke: \"#c0392b\"; style.bold: true}\nc: Off {style.stroke-dash: 4}\na -> b -> c: trip {style.stroke: \"#c0392b\"}",
    ),
    ("dark", "x: Sensor\ny: Fan\nz: Cap\nx -> y -> z -> x"),
];

const CHARTS: [(&str, &str); 8] = [
    (
        "bars",
        r#"{"type":"bar","title_text":"Power by rack","x_axis_data":["A","B","C","D"],"series_list":[{"name":"day","data":[310,280,420,190]},{"name":"night","data":[150,140,260,120]}]}"#,
    ),
    (
        "lines",
        r#"{"type":"line","title_text":"Heat over a day","x_axis_data":["0","4","8","12","16","20"],"series_list":[{"name":"inlet","data":[21,20,22,26,27,23]},{"name":"outlet","data":[33,31,36,44,45,38]}]}"#,
    ),
    (
        "pie",
        r#"{"type":"pie","title_text":"Absence","series_list":[{"name":"stale","data":[40]},{"name":"unreachable","data":[25]},{"name":"unsupported","data":[18]}]}"#,
    ),
    (
        "radar",
        r#"{"type":"radar","title_text":"A machine","indicators":[{"name":"heat","max":100},{"name":"noise","max":100},{"name":"power","max":100},{"name":"load","max":100}],"series_list":[{"name":"rack 7","data":[70,40,60,85]}]}"#,
    ),
    (
        "scatter",
        r#"{"type":"scatter","title_text":"Fan by heat","series_list":[{"name":"machines","data":[40,20,45,22,50,30,58,38,63,52,70,66,74,80,81,97]}]}"#,
    ),
    (
        "heat map",
        r#"{"type":"heatmap","title_text":"Alerts","x_axis_data":["0","6","12","18"],"y_axis_data":["Mon","Tue","Wed"],"series":{"data":[[0,9],[1,3],[2,7],[4,1],[5,8],[7,4],[9,6],[11,2]]}}"#,
    ),
    (
        "funnel",
        r#"{"type":"funnel","title_text":"Rollout","series_list":[{"name":"offered","data":[100]},{"name":"fetched","data":[80]},{"name":"started","data":[60]},{"name":"well","data":[55]}]}"#,
    ),
    (
        "gauge",
        r#"{"type":"gauge","title_text":"Heat","series_list":[{"name":"celsius","data":[64]}]}"#,
    ),
];

pub(super) fn sheets() -> Vec<Sheet> {
    let entry = |guest: &'static str, word: &str, caption: &str, source: &str| Entry {
        caption: format!("{word}: {caption}"),
        guest,
        source: source.to_owned(),
        options: Vec::new(),
    };
    let graphviz = GRAPHVIZ.into_iter().map(|(caption, source, engine)| Entry {
        options: vec![("engine", engine)],
        ..entry("graphviz", "DOT", caption, source)
    });
    let d2 = D2.into_iter().map(|(caption, source)| Entry {
        options: if caption == "dark" { vec![("theme", "dark")] } else { Vec::new() },
        ..entry("d2", "D2", caption, source)
    });
    let of = |guest, word: &'static str, all: &'static [(&'static str, &'static str)]| {
        all.iter().map(move |(caption, source)| entry(guest, word, caption, source))
    };
    let (cell, large) = ((290, 210), (390, 270));
    let small = graphviz
        .chain(d2)
        .chain(of("latex", "LaTeX", &LATEX))
        .chain(of("charts", "chart", &CHARTS))
        .collect();
    vec![
        Sheet { name: "renderers", columns: 4, cell, entries: small },
        Sheet {
            name: "mermaid",
            columns: 3,
            cell: large,
            entries: of("mermaid", "Mermaid", &MERMAID).collect(),
        },
        Sheet {
            name: "plantuml",
            columns: 3,
            cell: large,
            entries: of("plantuml", "PlantUML", &PLANTUML).collect(),
        },
    ]
}
