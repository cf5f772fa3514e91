//! Where a sensor's good readings stand and how fast they rise, with the noise of single samples
//! taken out.

use core::time::Duration;

/// Long enough to swallow one sample's noise, short against the heat capacity of anything with
/// a fan.
const SMOOTHING_S: f64 = 2.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Course {
    pub(super) value: f64,
    pub(super) slope_per_s: f64,
}

impl Course {
    pub(super) const fn at(value: f64) -> Self {
        Self { value, slope_per_s: 0.0 }
    }

    /// The course after `value`, which came `span` after `last`.
    pub(super) fn on(self, last: f64, value: f64, span: Duration) -> Self {
        let span_s = span.max(Duration::from_millis(1)).as_secs_f64();
        let weight = span_s / (SMOOTHING_S + span_s);
        let slope = (value - last) / span_s;
        let blend = |old: f64, new: f64| old + (new - old) * weight;
        Self { value: blend(self.value, value), slope_per_s: blend(self.slope_per_s, slope) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(course: Course, value: f64, slope_per_s: f64) {
        let off = (course.value - value).abs().max((course.slope_per_s - slope_per_s).abs());
        assert!(off < 1e-9, "{course:?} is not {value} and {slope_per_s} a second");
    }

    #[test]
    fn a_sample_moves_the_course_by_the_part_that_its_time_has_of_the_smoothing() {
        let course = Course::at(10.0);
        near(course, 10.0, 0.0);
        let course = course.on(10.0, 13.0, Duration::from_secs(1));
        near(course, 11.0, 1.0);
        let course = course.on(13.0, 14.0, Duration::from_millis(500));
        near(course, 11.6, 1.2);
        let course = course.on(14.0, 2.0, Duration::from_secs(6));
        near(course, 4.4, -1.2);
    }

    #[test]
    fn a_steady_rise_is_its_slope_in_the_end_and_two_samples_at_once_are_no_cliff() {
        let (mut course, mut last) = (Course::at(20.0), 20.0);
        for _ in 0..100 {
            course = course.on(last, last + 0.5, Duration::from_millis(250));
            last += 0.5;
        }
        assert!((course.slope_per_s - 2.0).abs() < 0.01, "{course:?}");
        let at_once = course.on(last, last + 0.1, Duration::ZERO);
        assert!((at_once.slope_per_s - course.slope_per_s).abs() < 0.1, "{at_once:?}");
    }
}
