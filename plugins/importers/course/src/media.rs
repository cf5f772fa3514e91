//! Media types by a file's name.

/// `None` for what goes along with no document: pages, styles, scripts, archives.
#[must_use]
pub fn of_name(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" => "audio/ogg",
        "wav" => "audio/wav",
        "m4a" => "audio/mp4",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => return None,
    })
}

/// One that a page shows as a picture.
#[must_use]
pub fn picture(name: &str) -> Option<&'static str> {
    of_name(name).filter(|kind| kind.starts_with("image/"))
}

#[must_use]
pub fn is_archive(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    ending.is_some_and(|ending| {
        matches!(
            ending.as_str(),
            "zip" | "epub" | "imscc" | "jar" | "gz" | "tgz" | "7z" | "rar" | "tar"
        )
    })
}
