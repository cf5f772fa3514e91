//! Course packages of ten, a hundred and a thousand lectures, from the operator's folder through the
//! sandbox to curricula: time and memory, how soon a cancel is obeyed, and what a kill costs.

use crate::clock;
use crate::figure::{Bench, Figure};
use crate::process::{family, rss_mib};
use anyhow::{Context as _, Result, bail, ensure};
use flyball_harness::fleet::{Api, Fleet, FleetOptions};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "imports.lectures_10_s",
        "imports.lectures_100_s",
        "imports.lectures_1000_s",
        "imports.aggregator_mib",
        "imports.runner_mib",
        "imports.cancel_ms",
        "imports.resumed_s",
    ],
    measure,
};

const PACKAGES: [(&str, &str, usize); 3] = [
    ("imports.lectures_10_s", "ten", 10),
    ("imports.lectures_100_s", "hundred", 100),
    ("imports.lectures_1000_s", "thousand", 1_000),
];
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(300);
/// A cancel takes effect within a second.
const CANCEL_MS: f64 = 1_000.0;

fn measure() -> Result<Vec<Figure>> {
    let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR").context("no target folder")?);
    let folder = built.join("packages-for-bench");
    let options = FleetOptions {
        plugins: Some(built.join("plugins")),
        settings: Some(settings(&folder)),
        ..FleetOptions::default()
    };
    let fleet = Fleet::with(1, options)?;
    let api = fleet.api()?;
    ready(&api)?;
    let mut figures = Vec::new();
    let mut most = Memory::default();
    for (name, course, lectures) in PACKAGES {
        let before = Memory::of(&fleet)?;
        let job = start(&api, course, course)?;
        let began = clock::now();
        let mut peak = before;
        let done = watch(&api, &job, || {
            peak = peak.max(Memory::of(&fleet)?);
            Ok(())
        })?;
        let seconds = began.elapsed().as_secs_f64();
        let topics = topics(&api, &done)?;
        ensure!(topics == lectures, "{course} came with {topics} topics");
        most = most.max(peak.above(before));
        let how = "from the order to the last topic, transcripts of PDFs and enrichment included";
        figures.push(Figure::new(name, seconds, "s", how.to_owned()));
    }
    let how = |what: &str| format!("{what}, most above what it had before, over the three imports");
    let aggregator = how("resident memory of the aggregator");
    figures.push(Figure::new("imports.aggregator_mib", most.aggregator, "MiB", aggregator));
    let runner = how("resident memory of the runner with the plugin's process");
    figures.push(Figure::new("imports.runner_mib", most.runner, "MiB", runner));
    figures.push(cancelled(&api)?);
    figures.push(resumed(&fleet, &api)?);
    Ok(figures)
}

/// Progress is asked for more often than one user may.
fn settings(folder: &Path) -> String {
    let folder = folder.display().to_string();
    format!("[limits]\nenabled = false\n[imports]\nfolder = {folder:?}\n")
}

#[derive(Clone, Copy, Default)]
struct Memory {
    aggregator: f64,
    runner: f64,
}

impl Memory {
    fn of(fleet: &Fleet) -> Result<Self> {
        let runner = family(fleet.pid("runner")?);
        Ok(Self {
            aggregator: rss_mib(fleet.pid("aggregator")?)?,
            // A process of a plugin may end at any time.
            runner: runner.into_iter().filter_map(|pid| rss_mib(pid).ok()).sum(),
        })
    }

    const fn max(self, other: Self) -> Self {
        Self {
            aggregator: self.aggregator.max(other.aggregator),
            runner: self.runner.max(other.runner),
        }
    }

    const fn above(self, before: Self) -> Self {
        Self {
            aggregator: self.aggregator - before.aggregator,
            runner: self.runner - before.runner,
        }
    }
}

fn ready(api: &Api) -> Result<()> {
    let began = clock::now();
    loop {
        let body = api.get("/api/import/sources")?.body;
        let mut sources = body["sources"].as_array().into_iter().flatten();
        if sources.any(|one| one["id"] == "mit_ocw" && one["ready"] == Value::Bool(true)) {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "no importer is ready: {body}");
        sleep(LOOK);
    }
}

fn start(api: &Api, course: &str, name: &str) -> Result<String> {
    let order = json!({
        "sourceId": "mit_ocw", "courseId": course, "outputName": format!("bench-{name}"),
        "includeTranscripts": true, "generateObjectives": true, "createCheckpoints": true,
    });
    let answer = api.post("/api/import/jobs", &order)?;
    ensure!(answer.status == 200, "the import of {course} was answered {}", answer.body);
    Ok(answer.body["jobId"].as_str().context("no job")?.to_owned())
}

/// The job's end; its progress never goes back.
fn watch(api: &Api, job: &str, mut look: impl FnMut() -> Result<()>) -> Result<Value> {
    let (began, mut before) = (clock::now(), 0);
    loop {
        look()?;
        let progress = progress(api, job)?;
        let percent = progress["percent_complete"].as_u64().context("no percent")?;
        ensure!(percent >= before, "{before} % before, {percent} % now");
        before = percent;
        match progress["status"].as_str().context("no status")? {
            "queued" | "in_progress" => {}
            "complete" => return Ok(progress),
            _ => bail!("the import ended so: {progress}"),
        }
        ensure!(began.elapsed() < PATIENCE, "the import does not end: {progress}");
        sleep(LOOK);
    }
}

fn progress(api: &Api, job: &str) -> Result<Value> {
    let answer = api.get(&format!("/api/import/jobs/{job}"))?;
    ensure!(answer.status == 200, "the job was answered {}", answer.body);
    Ok(answer.body["progress"].clone())
}

fn topics(api: &Api, progress: &Value) -> Result<usize> {
    let id = progress["curriculum_ids"][0].as_str().context("no curriculum")?;
    let body = api.get(&format!("/api/curricula/{id}"))?.body;
    Ok(body["curriculum"]["topics"].as_array().context("no topics")?.len())
}

/// Waits until the job is under way.
fn under_way(api: &Api, job: &str) -> Result<()> {
    let began = clock::now();
    while progress(api, job)?["status"] != "in_progress" {
        ensure!(began.elapsed() < PATIENCE, "the import does not begin");
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn cancelled(api: &Api) -> Result<Figure> {
    let job = start(api, "thousand", "cancelled")?;
    under_way(api, &job)?;
    let began = clock::now();
    let answer = api.delete(&format!("/api/import/jobs/{job}"))?;
    ensure!(answer.body["cancelled"] == true, "the cancel was answered {}", answer.body);
    while progress(api, &job)?["status"] != "cancelled" {
        ensure!(began.elapsed() < PATIENCE, "the import is not cancelled");
        sleep(Duration::from_millis(1));
    }
    let ms = began.elapsed().as_secs_f64() * 1_000.0;
    let how = "an import of 1,000 lectures under way, from the request until it is cancelled";
    Ok(Figure::new("imports.cancel_ms", ms, "ms", how.into()).against("limit", CANCEL_MS))
}

fn resumed(fleet: &Fleet, api: &Api) -> Result<Figure> {
    let job = start(api, "thousand", "resumed")?;
    under_way(api, &job)?;
    let killed = clock::now();
    fleet.signal("aggregator", Signal::KILL)?;
    back(api, killed)?;
    let done = watch(api, &job, || Ok(()))?;
    let seconds = killed.elapsed().as_secs_f64();
    ensure!(topics(api, &done)? == 1_000, "the import came back in part: {done}");
    let how = "1,000 lectures, `kill -9` of the aggregator once under way, until all are there";
    Ok(Figure::new("imports.resumed_s", seconds, "s", how.into()))
}

fn back(api: &Api, killed: Instant) -> Result<()> {
    while !api.get("/health").is_ok_and(|answer| answer.status == 200) {
        ensure!(killed.elapsed() < PATIENCE, "the aggregator has not come back");
        sleep(LOOK);
    }
    Ok(())
}
