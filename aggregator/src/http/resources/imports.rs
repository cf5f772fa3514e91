//! Import sources, their courses, and the jobs that bring courses in.

use crate::http::Api;
use crate::http::auth::{Actor, Member};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, Query};
use crate::http::paging::PageQuery;
use crate::http::reply::{Accepted, Answer, Flat, Many, One, Resource};
use crate::http::resources::readings::read;
use crate::http::time::{rfc3339, rfc3339_option};
use crate::imports::folder::Course as Offered;
use crate::imports::{
    ImportRequest, ImportsError, Job, JobId, JobStatus, Progress, Source as Offering,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const MAX_NAME: usize = 200;
const MAX_SELECTION: usize = 1_000;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    id: String,
    name: String,
    description: String,
    url: Option<String>,
    icon_url: Option<String>,
    license_type: Option<String>,
    supported_features: Vec<&'static str>,
    /// Is a machine connected whose importer is ready?
    ready: bool,
}

impl Resource for Source {
    const FLAT: Flat = Flat::named("source", "sources");
}

impl From<Offering> for Source {
    fn from(source: Offering) -> Self {
        Self {
            id: source.id,
            name: source.name,
            description: source.description,
            url: None,
            icon_url: None,
            license_type: None,
            supported_features: source.features,
            ready: source.plugin.is_some(),
        }
    }
}

pub(crate) async fn sources(State(api): State<Api>, Member(_): Member) -> Answer<Many<Source>> {
    let found = api.app.imports.sources().await.map_err(Problem::internal)?;
    Ok(Many::whole(found.into_iter().map(Source::from).collect()))
}

pub(crate) async fn source(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
) -> Answer<One<Source>> {
    let found = api.app.imports.source(&id).await.map_err(Problem::internal)?;
    found.map(|source| One(source.into())).ok_or_else(|| Problem::not_found("import source", id))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Course {
    id: String,
    title: String,
    description: String,
    instructor: String,
    subject: String,
    level: String,
    language: String,
    /// Seconds.
    duration: u64,
    featured: bool,
    available_features: Vec<String>,
}

impl Resource for Course {
    const FLAT: Flat = Flat::named("course", "courses");
}

impl From<&Offered> for Course {
    fn from(course: &Offered) -> Self {
        let spoken = course.lectures.iter().any(|lecture| lecture.has_transcript);
        Self {
            id: course.id.clone(),
            title: course.title.clone(),
            description: course.description.clone(),
            instructor: course.instructor.clone(),
            subject: course.subject.clone(),
            level: course.level.clone(),
            language: course.language.clone(),
            duration: course.duration_s,
            featured: false,
            available_features: match (course.features.is_empty(), spoken) {
                (true, true) => vec!["transcripts".to_owned()],
                _ => course.features.clone(),
            },
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CourseDetail {
    course: CourseWithLectures,
    #[serde(rename = "canImport")]
    can_import: bool,
    #[serde(rename = "licenseWarnings")]
    license_warnings: Vec<String>,
    attribution: String,
}

impl Resource for CourseDetail {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Serialize, ToSchema)]
struct CourseWithLectures {
    #[serde(flatten)]
    course: Course,
    instructor_bio: Option<String>,
    lectures: Vec<Lecture>,
    resources: CourseResources,
}

#[derive(Debug, Serialize, ToSchema)]
struct Lecture {
    id: String,
    title: String,
    /// Minutes.
    duration: u64,
    has_transcript: bool,
    has_video: bool,
    has_notes: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct CourseResources {
    assignments: u32,
    exams: u32,
    reading_materials: u32,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct CourseFilter {
    /// A part of title or description.
    search: Option<String>,
    subject: Option<String>,
    level: Option<String>,
}

impl CourseFilter {
    fn takes(&self, course: &Offered) -> bool {
        let same = |asked: &Option<String>, own: &str| {
            asked.as_ref().is_none_or(|asked| asked.is_empty() || asked.eq_ignore_ascii_case(own))
        };
        let found = self.search.as_ref().is_none_or(|search| {
            let search = search.to_lowercase();
            course.title.to_lowercase().contains(&search)
                || course.description.to_lowercase().contains(&search)
        });
        found && same(&self.subject, &course.subject) && same(&self.level, &course.level)
    }
}

pub(crate) async fn courses(
    State(api): State<Api>,
    Member(_): Member,
    Path(source): Path<String>,
    Query(page): Query<PageQuery>,
    Query(filter): Query<CourseFilter>,
) -> Answer<Many<Course>> {
    let page = page.request()?;
    let all = api.app.imports.courses(&source).await.map_err(problem)?;
    let found: Vec<&Offered> = all.iter().filter(|course| filter.takes(course)).collect();
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let total = found.len() as u64;
    let shown = found.into_iter().skip(offset).take(page.per_page as usize).map(Course::from);
    Ok(Many::page(shown.collect(), page.page, page.per_page, total))
}

pub(crate) async fn course(
    State(api): State<Api>,
    Member(_): Member,
    Path((source, course)): Path<(String, String)>,
) -> Answer<One<CourseDetail>> {
    let found = api.app.imports.course(&source, &course).await.map_err(problem)?;
    let licence = found.licence.as_deref().unwrap_or("no licence named");
    let lectures = found.lectures.iter().map(|lecture| Lecture {
        id: lecture.id.clone(),
        title: lecture.title.clone(),
        duration: lecture.duration_s / 60,
        has_transcript: lecture.has_transcript,
        has_video: lecture.has_video,
        has_notes: lecture.has_notes,
    });
    Ok(One(CourseDetail {
        can_import: found.may_import(),
        license_warnings: found.licence_warnings(),
        attribution: match &found.attribution {
            Some(line) => line.clone(),
            None => format!("{} ({licence})", found.title),
        },
        course: CourseWithLectures {
            course: Course::from(&found),
            instructor_bio: None,
            lectures: lectures.collect(),
            resources: CourseResources {
                assignments: found.resources.assignments,
                exams: found.resources.exams,
                reading_materials: found.resources.reading_materials,
            },
        },
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobRequest {
    #[serde(alias = "source_id")]
    #[schema(value_type = String)]
    source_id: Option<String>,
    #[serde(alias = "course_id")]
    #[schema(value_type = String)]
    course_id: Option<String>,
    /// The id of the curriculum that comes of it.
    #[serde(alias = "output_name")]
    output_name: Option<String>,
    /// All of the course where empty.
    #[serde(default, alias = "selected_lectures")]
    selected_lectures: Vec<String>,
    #[serde(alias = "include_transcripts")]
    include_transcripts: Option<bool>,
    #[serde(alias = "include_lecture_notes")]
    include_lecture_notes: Option<bool>,
    #[serde(alias = "include_assignments")]
    include_assignments: Option<bool>,
    #[serde(alias = "include_assessments")]
    include_assessments: Option<bool>,
    #[serde(alias = "include_media")]
    include_media: Option<bool>,
    #[serde(alias = "include_glossary")]
    include_glossary: Option<bool>,
    #[serde(alias = "generate_glossary")]
    generate_glossary: Option<bool>,
    #[serde(alias = "generate_objectives")]
    generate_objectives: Option<bool>,
    #[serde(alias = "create_checkpoints")]
    create_checkpoints: Option<bool>,
    #[serde(alias = "generate_spoken_text")]
    generate_spoken_text: Option<bool>,
}

/// A job that was queued.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueuedJob {
    job_id: Uuid,
    status: &'static str,
}

impl Resource for QueuedJob {
    const FLAT: Flat = Flat::fields().camel();
}

pub(crate) async fn create_job(
    State(api): State<Api>,
    Actor(caller): Actor,
    Body(request): Body<JobRequest>,
) -> Answer<Accepted<QueuedJob>> {
    let request = request.parse()?;
    let started = api.app.imports.start(request, &caller.email).await;
    let job = started.map_err(problem)?;
    Ok(Accepted {
        location: format!("/api/v1/import/jobs/{}", job.id),
        item: QueuedJob { job_id: job.id.0, status: job.status.name() },
    })
}

impl JobRequest {
    fn parse(self) -> Result<ImportRequest, Problem> {
        let mut faults = Vec::new();
        for (name, value) in [("sourceId", &self.source_id), ("courseId", &self.course_id)] {
            if value.as_ref().is_none_or(String::is_empty) {
                faults.push(FieldError::body(name, "missing_field", "is required"));
            }
        }
        if self.selected_lectures.len() > MAX_SELECTION {
            let message = format!("names more than {MAX_SELECTION} lectures");
            faults.push(FieldError::body("selectedLectures", "out_of_range", message));
        }
        if self.output_name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME) {
            let message = format!("has more than {MAX_NAME} characters");
            faults.push(FieldError::body("outputName", "out_of_range", message));
        }
        let switches = [
            ("includeTranscripts", self.include_transcripts),
            ("includeLectureNotes", self.include_lecture_notes),
            ("includeAssignments", self.include_assignments),
            ("includeAssessments", self.include_assessments),
            ("includeMedia", self.include_media),
            ("includeGlossary", self.include_glossary),
            ("generateGlossary", self.generate_glossary),
            ("generateObjectives", self.generate_objectives),
            ("createCheckpoints", self.create_checkpoints),
            ("generateSpokenText", self.generate_spoken_text),
        ];
        match (self.source_id, self.course_id) {
            (Some(source), Some(course)) if faults.is_empty() => Ok(ImportRequest {
                source,
                course,
                output_name: self.output_name.filter(|name| !name.is_empty()),
                selection: self.selected_lectures,
                switches: switches
                    .into_iter()
                    .filter_map(|(name, on)| Some((name.to_owned(), on?.to_string())))
                    .collect(),
            }),
            _ => Err(Problem::invalid(faults)),
        }
    }
}

/// A job as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportProgress {
    id: Uuid,
    source_id: String,
    course_id: String,
    /// `queued`, `in_progress`, `complete`, `failed` or `cancelled`.
    status: &'static str,
    percent_complete: u8,
    current_step: String,
    items_processed: u64,
    items_total: u64,
    errors: Vec<String>,
    warnings: Vec<String>,
    /// The curricula that it made.
    curriculum_ids: Vec<String>,
    created_at: String,
    started_at: Option<String>,
    estimated_completion_at: Option<String>,
    finished_at: Option<String>,
}

impl Resource for ImportProgress {
    const FLAT: Flat = Flat::named("progress", "jobs");
}

impl ImportProgress {
    fn of(job: &Job, now_ms: Option<u64>) -> Self {
        Self {
            id: job.id.0,
            source_id: job.request.source.clone(),
            course_id: job.request.course.clone(),
            status: job.status.name(),
            percent_complete: job.state.percent,
            current_step: job.state.step.clone(),
            items_processed: job.state.items_processed,
            items_total: job.state.items_total,
            errors: job.state.errors.clone(),
            warnings: job.state.warnings.clone(),
            curriculum_ids: job.state.curricula.clone(),
            created_at: rfc3339(job.created_at_ms),
            started_at: rfc3339_option(job.started_at_ms),
            estimated_completion_at: rfc3339_option(now_ms.and_then(|now| job.estimate_ms(now))),
            finished_at: rfc3339_option(job.finished_at_ms),
        }
    }
}

/// What streams say of a job.
pub(crate) fn progress(progress: &Progress) -> Value {
    json!(ImportProgress::of(progress, None))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct JobFilter {
    /// `queued`, `in_progress`, `complete`, `failed` or `cancelled`.
    status: Option<String>,
}

pub(crate) async fn jobs(
    State(api): State<Api>,
    Member(_): Member,
    Query(page): Query<PageQuery>,
    Query(filter): Query<JobFilter>,
) -> Answer<Many<ImportProgress>> {
    let page = page.request()?;
    let mut faults = Vec::new();
    let status = read(&mut faults, "status", filter.status.as_ref(), |text| {
        JobStatus::from_name(text)
            .ok_or_else(|| format!("is one of {}", JobStatus::ALL.map(JobStatus::name).join(", ")))
    });
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let found = api.app.imports.jobs(status, page).await.map_err(Problem::internal)?;
    let now_ms = api.app.clock.now_ms();
    let items = found.items.iter().map(|job| ImportProgress::of(job, Some(now_ms))).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total))
}

pub(crate) async fn job(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<Uuid>,
) -> Answer<One<ImportProgress>> {
    let found = api.app.imports.job(JobId(id)).await.map_err(Problem::internal)?;
    let job = found.ok_or_else(|| Problem::not_found("import job", id))?;
    Ok(One(ImportProgress::of(&job, Some(api.app.clock.now_ms()))))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cancelled {
    cancelled: bool,
}

impl Resource for Cancelled {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn cancel(
    State(api): State<Api>,
    Actor(_): Actor,
    Path(id): Path<Uuid>,
) -> Answer<One<Cancelled>> {
    match api.app.imports.cancel(JobId(id)).await.map_err(Problem::internal)? {
        Some(true) => Ok(One(Cancelled { cancelled: true })),
        Some(false) => Err(Problem::new(ErrorCode::Conflict, "the job has ended already")),
        None => Err(Problem::not_found("import job", id)),
    }
}

fn problem(error: ImportsError) -> Problem {
    let message = error.to_string();
    match error {
        ImportsError::NoSource { known, .. } => {
            Problem::new(ErrorCode::NotFound, message).detail("sources", known)
        }
        ImportsError::NoCourse { .. } => Problem::new(ErrorCode::NotFound, message),
        ImportsError::TooManyOpen => Problem::new(ErrorCode::Unavailable, message).retry_after(10),
        ImportsError::Importer { .. } => Problem::new(ErrorCode::PluginUnavailable, message),
        ImportsError::Folder(_) | ImportsError::Store(_) => Problem::internal(error),
    }
}
