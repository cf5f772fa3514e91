//! `packages ocw|epub|cartridge --lectures N --seed S OUT` writes one package;
//! `packages hostile OUT` writes every hostile one into a folder.

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str =
    "packages ocw|epub|cartridge|hostile [--lectures N] [--seed S] [--film BYTES] OUT";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match write(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn write(arguments: &[String]) -> Result<(), String> {
    let mut rest = arguments.iter();
    let kind = rest.next().ok_or("which kind?")?;
    let (mut lectures, mut seed, mut film_bytes, mut out) = (10, 1, 0, None);
    while let Some(argument) = rest.next() {
        let mut number = |name: &str| {
            let text = rest.next().ok_or_else(|| format!("{name} needs a number"))?;
            text.parse::<u64>().map_err(|error| format!("{name}: {error}"))
        };
        match argument.as_str() {
            "--lectures" => lectures = number("--lectures")?,
            "--seed" => seed = number("--seed")?,
            "--film" => film_bytes = number("--film")?,
            path => out = Some(path),
        }
    }
    let out = Path::new(out.ok_or("where to?")?);
    let lectures = usize::try_from(lectures).map_err(|error| error.to_string())?;
    let film_bytes = usize::try_from(film_bytes).map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| format!("{}: {error}", out.display());
    let bytes = match kind.as_str() {
        "ocw" => packages::ocw::package(&packages::ocw::Course {
            lectures,
            seed,
            film_bytes,
            ..packages::ocw::Course::default()
        }),
        "epub" => packages::epub::package(&packages::epub::Book {
            chapters: lectures,
            seed,
            ..packages::epub::Book::default()
        }),
        "cartridge" => packages::cartridge::package(&packages::cartridge::Cartridge {
            units: lectures,
            seed,
            ..packages::cartridge::Cartridge::default()
        }),
        "hostile" => {
            std::fs::create_dir_all(out).map_err(failed)?;
            for (name, bytes) in packages::hostile::archives("imsmanifest.xml") {
                std::fs::write(out.join(format!("{name}.zip")), bytes).map_err(failed)?;
            }
            return Ok(());
        }
        other => return Err(format!("no such kind: {other}")),
    };
    std::fs::write(out, bytes).map_err(failed)
}
