//! Pixels, by the program itself.

use flyball_aggregator::media::raster::drawing::FONTS;
use flyball_aggregator::media::raster::{RasterError, Rasteriser};
use std::path::PathBuf;

const MAX: usize = 16 * 1024 * 1024;

fn rasteriser() -> Rasteriser {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_flyball-aggregator"));
    Rasteriser::new(Some(program), &FONTS.map(PathBuf::from))
}

fn svg(inside: &str) -> Vec<u8> {
    format!("<svg xmlns='http://www.w3.org/2000/svg' width='60' height='20'>{inside}</svg>").into()
}

#[tokio::test]
async fn a_drawing_becomes_a_png_in_a_process_of_its_own() {
    let drawing = svg("<rect width='9' height='9'/><text y='15'>Hm</text>");
    let picture = rasteriser().png(&drawing, MAX).await.unwrap();
    assert_eq!(&picture[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(picture[16..24], [0, 0, 0, 60, 0, 0, 0, 20]);
}

#[tokio::test]
async fn what_is_no_drawing_is_refused_by_its_reason() {
    let error = rasteriser().png(b"<p>", MAX).await.unwrap_err();
    assert!(matches!(&error, RasterError::Refused(why) if why.contains("no SVG")), "{error}");
    let error = rasteriser().png(&svg("<rect width='9' height='9'/>"), 10).await.unwrap_err();
    assert_eq!(error, RasterError::Size(10));
}

#[tokio::test]
async fn a_drawing_that_would_fill_memory_is_stopped_and_the_next_one_is_drawn() {
    let mut bomb = String::from("<g id='a0'><rect width='1' height='1'/></g>");
    for level in 1..40 {
        let before = level - 1;
        bomb.push_str(&format!(
            "<g id='a{level}'><use href='#a{before}'/><use href='#a{before}'/><use href='#a{before}'/></g>"
        ));
    }
    let rasteriser = rasteriser();
    let error = rasteriser.png(&svg(&bomb), MAX).await.unwrap_err();
    let stopped =
        matches!(error, RasterError::Bounds | RasterError::Slow | RasterError::Refused(_));
    assert!(stopped, "{error}");
    rasteriser.png(&svg("<rect width='9' height='9'/>"), MAX).await.unwrap();
}
