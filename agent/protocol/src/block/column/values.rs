//! A column's values: their scale, the cheapest form of their integers, and back.
//!
//! ```text
//! values = form · base · [step] · [lead] · [statistics] · distances or differences
//! ```
//!
//! Statistics stand only in front of a column of at least [`TOLD_FROM`] decimals: they take about
//! eight bytes, as much as ten values do, or a sixth of a column of sixty.

use super::Scratch;
use super::form::{Form, Kind, Recent};
use super::rest::{self, Costs};
use super::scale::Scale;
use super::totals::{self, Totals};
use crate::block::bits::{BitReader, BitWriter, length_of, number_bits};
use crate::block::{BlockError, Stats};
use crate::wire::{unzigzag, zigzag};

/// Columns of at least so many values say their statistics.
pub(in crate::block) const TOLD_FROM: usize = 121;

/// Up to so many values it is worth the time to try every recent form.
const SHORT: usize = 120;

/// What stands in front of the distances or differences.
struct Front {
    form: Form,
    base: i64,
    step: i64,
    lead: i64,
    told: Option<Totals>,
}

const fn tells(form: Form, count: usize) -> bool {
    count >= TOLD_FROM && !form.scale.is_bits() && !matches!(form.kind, Kind::Constant)
}

/// Takes `scratch.values`, at least one.
pub(super) fn put(out: &mut BitWriter, recent: &mut Recent, scratch: &mut Scratch) {
    let Scratch { values, integers, rest, .. } = scratch;
    let scale = Scale::of(values, integers);
    let first = integers[0];
    if integers.iter().all(|&integer| integer == first) {
        recent.put(out, Form::constant(scale));
        put_integer(out, scale, first);
        return;
    }
    let told = if integers.len() >= TOLD_FROM { Totals::of(integers) } else { None };
    let step = to_steps(scale, integers);
    let form = choose(scale, step > 1, integers, recent, rest);
    let (least, lead) = distances(form.kind, integers, rest);
    let base = first.wrapping_add(least.wrapping_mul(step));
    recent.put(out, form);
    put_integer(out, scale, base);
    if form.stepped {
        let step = step.cast_unsigned();
        out.put_number(if scale.is_bits() { u64::from(step.trailing_zeros()) } else { step });
    }
    if matches!(form.kind, Kind::Slope | Kind::Bend) {
        put_integer(out, scale, lead);
    }
    if let Some(totals) = told.filter(|_| tells(form, integers.len())) {
        put_totals(out, form, base, step, totals, integers.len());
    }
    rest::put(out, form, rest);
}

/// A base or a lead: by its bits it may need all 64.
fn put_integer(out: &mut BitWriter, scale: Scale, integer: i64) {
    if scale.is_bits() {
        out.put(integer.cast_unsigned(), 64);
    } else {
        out.put_signed(integer);
    }
}

fn take_integer(bits: &mut BitReader<'_>, scale: Scale) -> Result<i64, BlockError> {
    if scale.is_bits() { bits.take(64).map(u64::cast_signed) } else { bits.take_signed() }
}

/// Turns integers, which are not all the same, into steps from the first, and says how long one
/// is. By their bits they may be apart by more than an `i64` holds, so that only powers of two
/// divide them for certain.
fn to_steps(scale: Scale, integers: &mut [i64]) -> i64 {
    let first = integers[0];
    integers.iter_mut().for_each(|integer| *integer = integer.wrapping_sub(first));
    let step = if scale.is_bits() {
        let zeros = integers.iter().fold(0, |bits, integer| bits | integer).trailing_zeros();
        1 << zeros.min(62)
    } else {
        common(integers)
    };
    // A step costs its number once and saves its length at every value.
    let saved = u64::from(length_of(step.cast_unsigned()) - 1) * integers.len() as u64;
    if saved <= number_bits(step.cast_unsigned()) {
        return 1;
    }
    if scale.is_bits() {
        let zeros = step.trailing_zeros();
        integers.iter_mut().for_each(|integer| *integer >>= zeros);
    } else {
        integers.iter_mut().for_each(|integer| *integer /= step);
    }
    step
}

/// The greatest integer that divides all of them.
fn common(integers: &[i64]) -> i64 {
    let mut common = 0;
    for integer in integers {
        let mut other = integer.unsigned_abs();
        while other != 0 {
            (common, other) = (other, common % other);
        }
        if common == 1 {
            break;
        }
    }
    common.cast_signed()
}

/// Leaves what `kind` makes of `steps` in `rest`; gives the least step where they are counted
/// from it, and the kind's lead.
fn distances(kind: Kind, steps: &[i64], rest: &mut Vec<u64>) -> (i64, i64) {
    rest.clear();
    let differences = || steps.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
    match kind {
        Kind::Constant => (0, 0),
        Kind::Frame => {
            let least = steps.iter().copied().min().unwrap_or(0);
            rest.extend(steps.iter().map(|step| step.wrapping_sub(least).cast_unsigned()));
            (least, 0)
        }
        Kind::Delta => {
            rest.extend(differences().map(zigzag));
            (0, 0)
        }
        Kind::Slope => {
            let lead = differences().min().unwrap_or(0);
            rest.extend(differences().map(|step| step.wrapping_sub(lead).cast_unsigned()));
            (0, lead)
        }
        Kind::Bend => {
            let mut before = differences().next().unwrap_or(0);
            let lead = before;
            rest.extend(differences().skip(1).map(|step| {
                let bend = step.wrapping_sub(before);
                before = step;
                zigzag(bend)
            }));
            (0, lead)
        }
    }
}

/// The cheapest form: of the kind whose numbers are shortest, or one that costs little to name.
fn choose(
    scale: Scale,
    stepped: bool,
    steps: &[i64],
    recent: &Recent,
    rest: &mut Vec<u64>,
) -> Form {
    let kind = shortest(scale, steps);
    let (_, lead) = distances(kind, steps, rest);
    let (code, parameter, bits) = Costs::of(rest).cheapest(rest);
    let form = Form { scale, kind, stepped, code, parameter };
    if steps.len() > SHORT {
        return form;
    }
    let mut best = (bits + recent.bits_of(form) + lead_bits(form, lead), form);
    let mut made = kind;
    for form in recent.forms() {
        if form.scale != scale || form.kind == Kind::Constant || form.stepped != stepped {
            continue;
        }
        let (_, lead) =
            if made == form.kind { (0, lead) } else { distances(form.kind, steps, rest) };
        made = form.kind;
        if let Some(bits) = Costs::of(rest).bits_of(form.code, form.parameter, rest) {
            let bits = bits + recent.bits_of(form) + lead_bits(form, lead);
            if bits < best.0 {
                best = (bits, form);
            }
        }
    }
    best.1
}

fn lead_bits(form: Form, lead: i64) -> u64 {
    match form.kind {
        Kind::Constant | Kind::Frame | Kind::Delta => 0,
        Kind::Slope | Kind::Bend if form.scale.is_bits() => 64,
        Kind::Slope | Kind::Bend => number_bits(zigzag(lead)),
    }
}

/// The kind whose numbers have the fewest bits together.
fn shortest(scale: Scale, steps: &[i64]) -> Kind {
    let (mut least, mut least_difference) = (0, i64::MAX);
    let (mut delta, mut bend) = (0, 0);
    let mut before = None;
    for pair in steps.windows(2) {
        let difference = pair[1].wrapping_sub(pair[0]);
        least = least.min(pair[1]);
        least_difference = least_difference.min(difference);
        delta += length_of(zigzag(difference));
        if let Some(before) = before {
            bend += length_of(zigzag(difference.wrapping_sub(before)));
        }
        before = Some(difference);
    }
    let (mut frame, mut slope) = (length_of(least.wrapping_neg().cast_unsigned()), 0);
    for pair in steps.windows(2) {
        let difference = pair[1].wrapping_sub(pair[0]);
        frame += length_of(pair[1].wrapping_sub(least).cast_unsigned());
        slope += length_of(difference.wrapping_sub(least_difference).cast_unsigned());
    }
    let lead = |lead| if scale.is_bits() { 64 } else { 6 + length_of(zigzag(lead)) };
    slope += lead(least_difference);
    bend += lead(steps[1]);
    let costs =
        [(frame, Kind::Frame), (delta, Kind::Delta), (slope, Kind::Slope), (bend, Kind::Bend)];
    costs.into_iter().min_by_key(|&(bits, _)| bits).map_or(Kind::Delta, |(_, kind)| kind)
}

/// In steps from the base. One of the first and the least is the base itself.
fn put_totals(out: &mut BitWriter, form: Form, base: i64, step: i64, totals: Totals, count: usize) {
    let steps = |integer: i64| integer.wrapping_sub(base) / step;
    let other = if form.kind == Kind::Frame { totals.first } else { totals.least };
    for integer in [other, totals.last, totals.greatest] {
        out.put_signed(steps(integer));
    }
    let sum = (totals.sum - i128::from(base) * count as i128) / i128::from(step);
    out.put_signed(i64::try_from(sum).unwrap_or_default());
}

fn take_totals(
    bits: &mut BitReader<'_>,
    form: Form,
    base: i64,
    step: i64,
    count: usize,
) -> Result<Totals, BlockError> {
    let mut integer = || -> Result<i64, BlockError> {
        Ok(base.wrapping_add(bits.take_signed()?.wrapping_mul(step)))
    };
    let (other, last, greatest) = (integer()?, integer()?, integer()?);
    let (first, least) = if form.kind == Kind::Frame { (other, base) } else { (base, other) };
    let steps = i128::from(bits.take_signed()?) * i128::from(step);
    Ok(Totals { first, last, least, greatest, sum: i128::from(base) * count as i128 + steps })
}

fn take_front(
    bits: &mut BitReader<'_>,
    recent: &mut Recent,
    count: usize,
) -> Result<Front, BlockError> {
    let form = recent.take(bits)?;
    let base = take_integer(bits, form.scale)?;
    let step = match form.stepped {
        false => 1,
        true if form.scale.is_bits() => 1_i64 << bits.take_number()?.min(63),
        true => bits.take_number()?.cast_signed(),
    };
    let lead = match form.kind {
        Kind::Constant | Kind::Frame | Kind::Delta => 0,
        Kind::Slope | Kind::Bend => take_integer(bits, form.scale)?,
    };
    let told = match tells(form, count) {
        true => Some(take_totals(bits, form, base, step, count)?),
        false => None,
    };
    Ok(Front { form, base, step, lead, told })
}

const fn rest_of(kind: Kind, count: usize) -> usize {
    match kind {
        Kind::Constant => 0,
        Kind::Frame => count,
        Kind::Delta | Kind::Slope => count.saturating_sub(1),
        Kind::Bend => count.saturating_sub(2),
    }
}

/// Leaves `count` integers in `scratch.integers`; `count` is bounded by the header.
pub(super) fn take(
    bits: &mut BitReader<'_>,
    recent: &mut Recent,
    count: usize,
    scratch: &mut Scratch,
) -> Result<Scale, BlockError> {
    let front = take_front(bits, recent, count)?;
    take_integers(bits, &front, count, &mut scratch.integers)?;
    match front.told {
        Some(told) if Totals::of(&scratch.integers) != Some(told) => Err(BlockError::Statistics),
        Some(_) | None => Ok(front.form.scale),
    }
}

fn take_integers(
    bits: &mut BitReader<'_>,
    front: &Front,
    count: usize,
    integers: &mut Vec<i64>,
) -> Result<(), BlockError> {
    let &Front { form, base, step, lead, .. } = front;
    integers.clear();
    integers.reserve(count);
    let left = rest_of(form.kind, count);
    let mut at = base;
    match form.kind {
        Kind::Constant => {
            integers.resize(count, base);
            Ok(())
        }
        Kind::Frame => rest::take(bits, form, left, |distance| {
            integers.push(base.wrapping_add(distance.cast_signed().wrapping_mul(step)));
        }),
        Kind::Delta => {
            integers.push(at);
            rest::take(bits, form, left, |difference| {
                at = at.wrapping_add(unzigzag(difference).wrapping_mul(step));
                integers.push(at);
            })
        }
        Kind::Slope => {
            integers.push(at);
            rest::take(bits, form, left, |difference| {
                let difference = lead.wrapping_add(difference.cast_signed());
                at = at.wrapping_add(difference.wrapping_mul(step));
                integers.push(at);
            })
        }
        Kind::Bend => {
            integers.push(at);
            let mut difference = lead;
            at = at.wrapping_add(difference.wrapping_mul(step));
            if count > 1 {
                integers.push(at);
            }
            rest::take(bits, form, left, |bend| {
                difference = difference.wrapping_add(unzigzag(bend));
                at = at.wrapping_add(difference.wrapping_mul(step));
                integers.push(at);
            })
        }
    }
}

/// `last`: nothing behind this column will be taken, so its values may stay where they are.
pub(super) fn take_stats(
    bits: &mut BitReader<'_>,
    recent: &mut Recent,
    count: usize,
    last: bool,
    scratch: &mut Scratch,
) -> Result<Option<Stats>, BlockError> {
    let front = take_front(bits, recent, count)?;
    let scale = front.form.scale;
    if let (Some(told), true) = (front.told, last) {
        return Ok(Some(told.stats(scale, count)));
    }
    if front.form.kind == Kind::Constant && !scale.is_bits() {
        return Ok(Some(Totals::of_constant(front.base, count).stats(scale, count)));
    }
    take_integers(bits, &front, count, &mut scratch.integers)?;
    Ok(totals::stats(scale, &scratch.integers))
}

pub(super) fn skip(
    bits: &mut BitReader<'_>,
    recent: &mut Recent,
    count: usize,
) -> Result<(), BlockError> {
    let front = take_front(bits, recent, count)?;
    rest::skip(bits, front.form, rest_of(front.form.kind, count))
}
