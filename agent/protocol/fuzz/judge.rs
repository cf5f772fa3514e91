//! What must hold of any bytes: the decoder neither panics nor gives more than its bounds, and
//! whatever it gives can be written and read again.

use flyball_protocol::block::{
    Block, BlockBuilder, Column, Group, Header, MAX_BLOCK_BYTES, MAX_CELLS, MAX_COLUMNS, Outline,
    Stats,
};
use flyball_protocol::series::SeriesRef;
use flyball_units::NoData;

const CHECK_BYTES: usize = 4;

/// Takes `bytes` as a block, as they are and under a right checksum: that keeps out accidents,
/// never an enemy.
pub(crate) fn judge_bytes(bytes: &[u8]) {
    judge(bytes);
    judge(&sealed(bytes));
}

/// The bytes with the checksum of all but the last four in those.
pub(crate) fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = bytes[..bytes.len().saturating_sub(CHECK_BYTES)].to_vec();
    let check = crc32fast::hash(&sealed).rotate_left(1);
    sealed.extend_from_slice(&check.to_le_bytes());
    sealed
}

fn judge(bytes: &[u8]) {
    let outline = Outline::read(bytes);
    let header = Header::read(bytes);
    let Ok(block) = Block::decode(bytes) else { return };
    let (outline, header) = (outline.expect("no outline"), header.expect("no header"));
    let columns: Vec<(&Group, &Column)> = block
        .groups
        .iter()
        .flat_map(|group| group.columns.iter().map(move |column| (group, column)))
        .collect();
    let cells: usize = columns.iter().map(|(_, column)| column.cells.len()).sum();
    assert!(cells <= MAX_CELLS && columns.len() <= MAX_COLUMNS, "{cells} cells");
    assert!(outline.series().eq(columns.iter().map(|(_, column)| column.series)));
    assert_eq!(header.columns().count(), columns.len());
    for ((group, head), (decoded, column)) in header.columns().zip(&columns) {
        assert_eq!((head.series, group.ticks), (column.series, decoded.ticks));
        assert_eq!(header.cells(bytes, group, head).expect("no cells"), column.cells);
    }
    if let Some((_, column)) = columns.get(cells % columns.len().max(1)) {
        let sought = Header::seek(bytes, &[column.series]).expect("not to be sought");
        for (group, head) in sought.columns() {
            sought.cells(bytes, group, head).expect("no sought cells");
        }
    }
    judge_round(&block);
}

/// Makes samples of `bytes` and holds what comes back to them.
pub(crate) fn judge_samples(bytes: &[u8]) {
    let Some((&[shape, scale], rest)) = bytes.split_first_chunk() else { return };
    let series = u64::from(shape % 7) + 1;
    let step_ms = [1, 7, 1000][usize::from(shape / 7 % 3)];
    let mut builder = BlockBuilder::new(1_790_000_000_000, 3_600_000);
    let mut integer = 0_i64;
    for (index, chunk) in (0_u64..3600).zip(rest.chunks(3)) {
        let mut bits = [0; 8];
        bits[..chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_le_bytes(bits);
        integer = integer.wrapping_add(i64::from(chunk[0].cast_signed()));
        let reading = match scale % 8 {
            0 => Ok(f64::from_bits(bits << 40)),
            1 => Ok(f64::from_bits(0x3ff0_0000_0000_0000 | bits << 20)),
            2 => NoData::from_code(chunk[0]).map_or(Ok(integer as f64), Err),
            places => Ok(integer as f64 / 10_f64.powi(i32::from(places) - 3)),
        };
        let tick_ms = 1_790_000_000_000 + index / series * step_ms;
        builder.push(SeriesRef((index % series) as u32), tick_ms, reading).expect("no tick");
    }
    if let Ok(block) = builder.build() {
        judge_round(&block);
    }
}

/// A block is what its bytes say, and so are its statistics.
fn judge_round(block: &Block) {
    let bytes = block.encode();
    if bytes.len() > MAX_BLOCK_BYTES {
        return;
    }
    assert_eq!(&Block::decode(&bytes).expect("what was encoded cannot be decoded"), block);
    let header = Header::read(&bytes).expect("what was encoded has no header");
    let columns = block.groups.iter().flat_map(|group| &group.columns);
    for ((_, head), column) in header.columns().zip(columns) {
        let (said, true_ones) = (bits(head.stats), bits(Stats::of(&column.cells)));
        assert_eq!(said, true_ones, "series {}", column.series.0);
    }
}

fn bits(stats: Option<Stats>) -> Option<(u32, [u64; 5])> {
    stats.map(|stats| {
        let values = [stats.min, stats.max, stats.sum, stats.first, stats.last];
        (stats.count, values.map(f64::to_bits))
    })
}
