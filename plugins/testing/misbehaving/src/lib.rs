//! A renderer that does what its source says: every way in which a plugin can cost its host
//! more than it was granted. Built for the host's tests only.

use flyball_plugin::{
    Diagnostic, Error, ErrorKind, Image, Level, Manifest, RenderRequest, Renderer, log,
};
use std::hint::black_box;

struct Misbehaving;
flyball_plugin::renderer!(Misbehaving);

impl Renderer for Misbehaving {
    fn describe() -> Manifest {
        Manifest {
            id: "misbehaving".into(),
            name: "Misbehaving".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Does what its source says".into(),
            handles: vec!["misbehave".into()],
            attributes: Vec::new(),
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        match source {
            "many-diagnostics" => {
                (0..100_000).map(|n| Diagnostic::error("many", format!("fault {n}"))).collect()
            }
            "lift" => lift(),
            "spin" => spin(),
            _ => Vec::new(),
        }
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        match request.source.as_str() {
            "spin" => spin(),
            "eat" => eat(),
            "recurse" => black_box(image(vec![recurse(1) as u8])),
            "panic" => panic!("asked to"),
            "log" => loop {
                log(Level::Info, &"x".repeat(512));
            },
            "long-line" => {
                log(Level::Info, &"x".repeat(16 * 1024 * 1024));
                image(Vec::new())
            }
            "large-output" => image(vec![b'x'; 40 * 1024 * 1024]),
            "error" => Err(Error::new(ErrorKind::Upstream, "asked to")),
            "invalid" => Err(Error::invalid(
                "asked to",
                vec![Diagnostic::error("asked", "line three").at(3, 7)],
            )),
            other => image(other.as_bytes().to_vec()),
        }
    }
}

fn image(data: Vec<u8>) -> Result<Image, Error> {
    Ok(Image { media_type: "text/plain".into(), width: 1, height: 1, data, warnings: Vec::new() })
}

fn spin() -> ! {
    let mut value = 1_u64;
    loop {
        value = black_box(value.wrapping_mul(3));
    }
}

fn eat() -> ! {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(vec![7; 1024 * 1024]);
        black_box(&eaten);
    }
}

/// Small frames, so that the host's stack ends before the guest's own does.
#[inline(never)]
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn recurse(depth: u64) -> u64 {
    recurse(depth + 1) + black_box(depth)
}

/// Three thousand messages that are all the same mebibyte: cheap here, 3 GB for a host that
/// copies each of them.
fn lift() -> Vec<Diagnostic> {
    let text = std::mem::ManuallyDrop::new("x".repeat(1024 * 1024));
    let alias = |_| {
        #[expect(unsafe_code, reason = "an attacker does not ask")]
        // SAFETY: none of the aliases is written to or freed: the call that returns them traps.
        let message = unsafe {
            String::from_raw_parts(text.as_ptr().cast_mut(), text.len(), text.capacity())
        };
        Diagnostic::error("lift", message)
    };
    (0..3_000).map(alias).collect()
}
