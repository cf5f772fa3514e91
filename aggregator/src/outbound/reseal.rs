//! Sealing every sealed field anew with the newest key.

use crate::app::App;
use crate::jobs::{Job, JobError};
use crate::store::SEALED;
use serde_json::{Value, json};

const AT_ONCE: u32 = 100;

pub(super) async fn work(app: &App, job: &Job) -> Result<Value, JobError> {
    let may_pass =
        |error: crate::sealing::SealingError| JobError::MayPass(crate::resilience::chain(&error));
    app.sealing.reload().map_err(may_pass)?;
    let progress = app.jobs.progress(job.id);
    let (mut done, mut unreadable) = (0_u64, 0_u64);
    for place in SEALED {
        let (table, column) = place;
        let mut after = String::new();
        loop {
            let values = app.store.sealed_values(place, &after, AT_ONCE).await?;
            let Some((last, _)) = values.last() else { break };
            after.clone_from(last);
            for (id, sealed) in values.iter().filter(|(_, sealed)| !app.sealing.is_current(sealed))
            {
                let context = format!("{table}.{column}:{id}");
                let Ok(plain) = app.sealing.open_sealed(&context, sealed) else {
                    unreadable += 1;
                    continue;
                };
                let anew = app.sealing.seal(&context, &plain).map_err(may_pass)?;
                // One that changed meanwhile was sealed with the newest key by that.
                done += u64::from(app.store.replace_sealed(place, id, sealed, &anew).await?);
            }
            progress.tell(&format!("{table}.{column}"), done, None).await?;
        }
    }
    Ok(json!({ "resealed": done, "unreadable": unreadable }))
}
