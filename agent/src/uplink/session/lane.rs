//! One lane: definitions and entries up, acknowledgements down. The stream is opened with the
//! first batch, so that an idle lane costs nothing.

use super::{Batch, Event, Reports, both};
use crate::uplink::endpoint::Connected;
use crate::uplink::wire::{FrameReader, FrameWriter, WireError};
use flyball_protocol::message::{LaneDown, LaneUp, StreamKind};
use flyball_protocol::series::SeriesDef;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Definitions of a frame; with the bounds on names they stay far below a frame's.
const SERIES_PER_FRAME: usize = 256;

pub(super) async fn carry(
    connection: Arc<Connected>,
    kind: StreamKind,
    mut batches: mpsc::Receiver<Batch>,
    reports: Reports,
) {
    let Some(first) = batches.recv().await else { return };
    if let Err(error) = exchange(&connection, kind, first, batches, &reports).await {
        reports.lost(&connection, &error).await;
    }
}

async fn exchange(
    connection: &Connected,
    kind: StreamKind,
    first: Batch,
    mut batches: mpsc::Receiver<Batch>,
    reports: &Reports,
) -> Result<(), WireError> {
    let (send, receive) = connection.open_bi().await.map_err(WireError::Connection)?;
    let mut writer = FrameWriter::begin(send, kind).await?;
    let mut reader = FrameReader::new(receive);
    let write = async {
        let mut next = Some(first);
        while let Some(batch) = next {
            send_batch(&mut writer, batch).await?;
            next = batches.recv().await;
        }
        Ok(())
    };
    let read = async {
        while let Some(LaneDown::Ack(ranges)) = reader.next().await? {
            reports.send(Event::Ack(ranges)).await;
        }
        Err(WireError::Ended)
    };
    both(write, read).await
}

async fn send_batch(writer: &mut FrameWriter, batch: Batch) -> Result<(), WireError> {
    for series in batch.series.chunks(SERIES_PER_FRAME) {
        let series: Vec<SeriesDef> = series.to_vec();
        writer.send(&LaneUp::Series(series)).await?;
    }
    for entry in batch.entries {
        writer.send(&LaneUp::Entry(entry)).await?;
    }
    Ok(())
}
