//! What authors do with a curriculum: replace it, put it away, take it back, give it pictures.

use super::archive::{self, Manifest, Writer, sha256, unpack};
use super::asset::{AssetChange, AssetInfo, KeptAsset, Origin, Room};
use super::fetch::FetchError;
use super::umcf::Document;
use super::{
    Archive, Asset, Bundle, Content, ContentError, Curriculum, MAX_ARCHIVES, MAX_ASSET_BYTES,
    MAX_ASSETS, MAX_DOCUMENT_BYTES, MAX_TOTAL_BYTES, NewArchive, NewCurriculum, PutAway, Replaced,
    slug, sniff, umcf,
};
use crate::live::{ContentTurn, Live, Told, What};
use serde_json::Value;
use std::time::Duration;

/// How often an archive's name or a curriculum that changes meanwhile is tried anew.
const ATTEMPTS: u32 = 20;
const PART: u32 = 4 * 1024 * 1024;
const PAGE: i64 = 200;
/// What a document refers to is fetched for so long; the rest waits for the next call.
const PRELOAD_PATIENCE: Duration = Duration::from_secs(20);
const MAX_REFERENCES: usize = 1_000;
const URL_PATIENCE: Duration = Duration::from_secs(20);

/// A file for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub topic: String,
    /// The file's name, which its id is made of.
    pub name: String,
    pub kind: Option<String>,
    pub description: String,
    pub alt_text: Option<String>,
    pub bytes: Vec<u8>,
}

/// What came of preloading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preloaded {
    pub fetched: u64,
    pub total: u64,
    pub bytes: u64,
    /// What time did not suffice for.
    pub remaining: u64,
    /// Each with its reason.
    pub failed: Vec<(String, String)>,
}

impl Content {
    fn tell(&self, turn: ContentTurn, id: &str, title: &str) {
        let what = What::Content { turn, id: id.into(), title: title.into() };
        self.live.publish(Live::Platform(Told { sender: None, what }));
    }

    /// Keeps a document, in place of one of the same id; its revision.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn keep(&self, new: &NewCurriculum) -> Result<u64, ContentError> {
        let revision = self.store.keep_curriculum(new).await?;
        self.tell(ContentTurn::Imported, &new.id, new.document.title());
        Ok(revision)
    }

    /// Keeps a file that an author handed in, under the document's own id, else its name.
    ///
    /// # Errors
    /// Where it is no curriculum or can't be kept.
    pub async fn take(
        &self,
        bundle: Bundle,
        name: &str,
    ) -> Result<(String, Vec<String>), ContentError> {
        let Bundle { document, assets } = bundle;
        let stem = name.rsplit('/').next().unwrap_or(name);
        let stem = stem.split_once('.').map_or(stem, |(stem, _)| stem);
        let own = umcf::id(document.value()).map(slug).filter(|id| !id.is_empty());
        let id = own.unwrap_or_else(|| slug(stem));
        let id = if id.is_empty() { slug(document.title()) } else { id };
        if id.is_empty() {
            return Err(ContentError::NoId);
        }
        let warnings = super::checks::warnings(document.value());
        let at_ms = self.clock.now_ms();
        let (source, import_job, created_at_ms) = (Some("file".into()), None, None);
        let new = NewCurriculum {
            id: id.clone(),
            document,
            source,
            import_job,
            assets,
            created_at_ms,
            at_ms,
        };
        self.keep(&new).await?;
        Ok((id, warnings))
    }

    /// The same of what stands at an address on the public network.
    ///
    /// # Errors
    /// Where it can't be fetched, besides.
    pub async fn take_from(&self, url: &str) -> Result<(String, Vec<String>), ContentError> {
        let max = MAX_DOCUMENT_BYTES + MAX_ASSET_BYTES;
        let bytes = self.fetcher.get(url, max, URL_PATIENCE).await?;
        let path = url.split(['?', '#']).next().unwrap_or(url);
        self.take(read(bytes).await?, path).await
    }

    /// Puts another document in a curriculum's place, where it is still at `expected`.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn replace(
        &self,
        id: &str,
        document: &Document,
        expected: Option<u64>,
    ) -> Result<Replaced, ContentError> {
        let now_ms = self.clock.now_ms();
        let replaced = self.store.replace_curriculum(id, document, expected, now_ms).await?;
        if matches!(replaced, Replaced::Done(_)) {
            self.tell(ContentTurn::Updated, id, document.title());
        }
        Ok(replaced)
    }

    /// Takes a curriculum out of the lists; its title, or `None` where there is none.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn delete(&self, id: &str) -> Result<Option<String>, ContentError> {
        let Some(found) = self.store.curriculum(id).await? else { return Ok(None) };
        if !self.store.set_curriculum_deleted(id, Some(self.clock.now_ms())).await? {
            return Ok(None);
        }
        self.tell(ContentTurn::Deleted, id, &found.summary.title);
        Ok(Some(found.summary.title))
    }

    /// Puts a deleted curriculum back; false where there is none.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn restore(&self, id: &str) -> Result<bool, ContentError> {
        let restored = self.store.set_curriculum_deleted(id, None).await?;
        if let Some(found) = self.store.curriculum(id).await?.filter(|_| restored) {
            self.tell(ContentTurn::Updated, id, &found.summary.title);
        }
        Ok(restored)
    }

    /// Puts a curriculum away; the archive, or `None` where there is no such curriculum.
    ///
    /// # Errors
    /// Where it can't be packed or the store fails.
    pub async fn archive(&self, id: &str) -> Result<Option<Archive>, ContentError> {
        for attempt in 1..=ATTEMPTS {
            let Some((manifest, bytes)) = self.packed(id).await? else { return Ok(None) };
            let day = jiff::Timestamp::from_millisecond(
                i64::try_from(manifest.archived_at_ms).unwrap_or(0),
            );
            let day = day.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
            let more = if attempt == 1 { String::new() } else { format!("-{attempt}") };
            let archive = Archive {
                file_name: format!("{}-{day}{more}.tar.gz", slug(id)),
                curriculum: id.into(),
                title: manifest.title,
                archived_at_ms: manifest.archived_at_ms,
                size: bytes.len() as u64,
                sha256: sha256(&bytes),
            };
            let new = NewArchive { archive, revision: manifest.revision, bytes };
            match self.store.archive_curriculum(&new, MAX_ARCHIVES).await? {
                PutAway::Done => {
                    self.tell(ContentTurn::Archived, id, &new.archive.title);
                    return Ok(Some(new.archive));
                }
                PutAway::Full => return Err(ContentError::TooManyArchives),
                PutAway::Changed | PutAway::NameTaken => {}
            }
        }
        Err(ContentError::Busy)
    }

    /// A curriculum as the bytes of an archive, read asset by asset.
    async fn packed(&self, id: &str) -> Result<Option<(Manifest, Vec<u8>)>, ContentError> {
        let Some(Curriculum { summary, source, .. }) = self.store.curriculum(id).await? else {
            return Ok(None);
        };
        let Some((document, revision)) = self.store.curriculum_document(id).await? else {
            return Ok(None);
        };
        let infos = self.store.curriculum_assets(id).await?;
        let (mut entries, mut contents) = (Vec::new(), Vec::new());
        for info in infos {
            let Some(bytes) = self.asset_bytes(id, &info).await? else { continue };
            let entry = archive::AssetEntry {
                size: bytes.len() as u64,
                sha256: sha256(&bytes),
                ..info.into()
            };
            entries.push(entry);
            contents.push(bytes);
        }
        let manifest = Manifest {
            format: Manifest::format(),
            curriculum: id.into(),
            title: summary.title,
            revision,
            source,
            created_at_ms: summary.created_at_ms,
            archived_at_ms: self.clock.now_ms(),
            assets: entries,
        };
        let work = tokio::task::spawn_blocking(move || {
            let mut writer = Writer::new(&manifest, &document)?;
            for (index, bytes) in contents.iter().enumerate() {
                writer.add(index, bytes, manifest.archived_at_ms)?;
            }
            Ok::<_, std::io::Error>((manifest, writer.finish()?))
        });
        let packed = work.await.map_err(|_| ContentError::Stopped)?.map_err(ContentError::Pack)?;
        Ok(Some(packed))
    }

    async fn asset_bytes(
        &self,
        curriculum: &str,
        info: &AssetInfo,
    ) -> Result<Option<Vec<u8>>, ContentError> {
        let mut bytes = Vec::with_capacity(usize::try_from(info.size).unwrap_or(0));
        loop {
            let part = self.asset_part(curriculum, &info.id, bytes.len() as u64, PART).await?;
            match part {
                None => return Ok(None),
                Some(part) => {
                    let is_last = part.len() < PART as usize;
                    bytes.extend(part);
                    if is_last {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// Some bytes of an asset; fewer at its end.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn asset_part(
        &self,
        curriculum: &str,
        id: &str,
        offset: u64,
        length: u32,
    ) -> Result<Option<Vec<u8>>, ContentError> {
        Ok(self.store.curriculum_asset_part(curriculum, id, offset, length).await?)
    }

    /// Puts a curriculum back from its archive; its id, or `None` where there is no such archive.
    ///
    /// # Errors
    /// Where the archive is damaged, or a curriculum of its id stands there.
    pub async fn unarchive(&self, file_name: &str) -> Result<Option<String>, ContentError> {
        let Some((kept, bytes)) = self.store.curriculum_archive(file_name).await? else {
            return Ok(None);
        };
        let work = tokio::task::spawn_blocking(move || unpack(&bytes, &kept.sha256));
        let unpacked = work.await.map_err(|_| ContentError::Stopped)??;
        let document = Document::parse(unpacked.document, MAX_DOCUMENT_BYTES)?;
        let manifest = unpacked.manifest;
        let new = NewCurriculum {
            id: manifest.curriculum.clone(),
            document,
            source: manifest.source,
            import_job: None,
            assets: Vec::new(),
            created_at_ms: Some(manifest.created_at_ms),
            at_ms: self.clock.now_ms(),
        };
        let pairs = manifest.assets.into_iter().zip(unpacked.assets);
        let assets: Vec<KeptAsset> =
            pairs.map(|(entry, bytes)| KeptAsset { info: entry.into(), bytes }).collect();
        if !self.store.unarchive_curriculum(file_name, &new, &assets).await? {
            return Err(ContentError::Taken(new.id));
        }
        self.tell(ContentTurn::Unarchived, &new.id, new.document.title());
        Ok(Some(new.id))
    }

    /// Derives what lists show from every document once more; how many there are.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn reload(&self) -> Result<u64, ContentError> {
        let (mut after, mut count) = (String::new(), 0);
        loop {
            let ids = self.store.curriculum_ids(&after, PAGE).await?;
            let Some(last) = ids.last() else { return Ok(count) };
            after.clone_from(last);
            for id in ids {
                let Some((text, _)) = self.store.curriculum_document(&id).await? else { continue };
                match Document::parse(text, MAX_DOCUMENT_BYTES) {
                    Ok(document) => self.store.summarise_curriculum(&id, &document).await?,
                    Err(error) => {
                        tracing::warn!(curriculum = id, %error, "a document can't be read any more");
                    }
                }
                count += 1;
            }
        }
    }

    /// Keeps a file for a topic; `None` where there is no such topic.
    ///
    /// # Errors
    /// Where the file is nothing that is kept, or there is no room for it.
    pub async fn upload(
        &self,
        curriculum: &str,
        upload: Upload,
    ) -> Result<Option<AssetInfo>, ContentError> {
        let Some(found) = self.store.curriculum(curriculum).await? else { return Ok(None) };
        if !found.topics().iter().any(|topic| topic.id == upload.topic) {
            return Ok(None);
        }
        let (media_type, bytes) = sniff::checked(upload.bytes)?;
        let at_ms = self.clock.now_ms();
        let stem = upload.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let stem: String = slug(stem).chars().take(60).collect();
        let unique = &self.clock.new_id().simple().to_string()[20..];
        let id =
            if stem.is_empty() { format!("asset-{unique}") } else { format!("{stem}-{unique}") };
        let title = if upload.name.is_empty() { id.clone() } else { upload.name };
        let asset = Asset { id, title, media_type: media_type.into(), bytes };
        let mut kept = asset.kept(Origin::Upload, at_ms);
        kept.info.topic = Some(upload.topic);
        kept.info.description = upload.description;
        kept.info.alt_text = upload.alt_text;
        if let Some(kind) = upload.kind {
            kept.info.kind = kind;
        }
        self.put(curriculum, kept).await
    }

    async fn put(
        &self,
        curriculum: &str,
        kept: KeptAsset,
    ) -> Result<Option<AssetInfo>, ContentError> {
        let bounds = (MAX_ASSETS, MAX_TOTAL_BYTES);
        match self.store.put_curriculum_asset(curriculum, &kept, bounds).await? {
            Room::Kept => Ok(Some(kept.info)),
            Room::NoCurriculum => Ok(None),
            Room::Full => Err(ContentError::Full),
        }
    }

    /// # Errors
    /// Where the store fails.
    pub async fn change_asset(
        &self,
        curriculum: &str,
        id: &str,
        change: &AssetChange,
    ) -> Result<Option<AssetInfo>, ContentError> {
        let now_ms = self.clock.now_ms();
        Ok(self.store.change_curriculum_asset(curriculum, id, change, now_ms).await?)
    }

    /// False where there was none.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn delete_asset(&self, curriculum: &str, id: &str) -> Result<bool, ContentError> {
        Ok(self.store.delete_curriculum_asset(curriculum, id).await?)
    }

    /// Fetches what the document refers to by address and is not here yet; `None` where there is
    /// no such curriculum.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn preload(&self, curriculum: &str) -> Result<Option<Preloaded>, ContentError> {
        let Some(found) = self.store.curriculum(curriculum).await? else { return Ok(None) };
        let here = self.store.curriculum_assets(curriculum).await?;
        let missing = found.references().into_iter().take(MAX_REFERENCES);
        let missing: Vec<_> =
            missing.filter(|one| !here.iter().any(|asset| asset.id == one.id)).collect();
        let mut done = Preloaded::default();
        let since = self.clock.stopwatch();
        for reference in missing {
            let left = PRELOAD_PATIENCE.saturating_sub(since.elapsed());
            if left.is_zero() {
                done.remaining += 1;
                continue;
            }
            match self.preload_one(curriculum, &reference, left).await {
                Ok(()) => done.fetched += 1,
                Err(ContentError::Store(error)) => return Err(error.into()),
                Err(error) => done.failed.push((reference.id, error.to_string())),
            }
        }
        for asset in self.store.curriculum_assets(curriculum).await? {
            done.total += 1;
            done.bytes += asset.size;
        }
        Ok(Some(done))
    }

    async fn preload_one(
        &self,
        curriculum: &str,
        reference: &super::Reference,
        patience: Duration,
    ) -> Result<(), ContentError> {
        let bytes = self.fetcher.get(&reference.url, MAX_ASSET_BYTES, patience).await?;
        let (media_type, bytes) = sniff::checked(bytes)?;
        let asset = Asset {
            id: reference.id.clone(),
            title: reference.title.clone(),
            media_type: media_type.into(),
            bytes,
        };
        let mut kept = asset.kept(Origin::Preload, self.clock.now_ms());
        kept.info.topic.clone_from(&reference.topic);
        kept.info.description.clone_from(&reference.title);
        self.put(curriculum, kept).await?;
        Ok(())
    }
}

/// Inflating and decoding takes a while: not on a thread that others wait for.
///
/// # Errors
/// Where the file is no curriculum.
pub async fn read(bytes: Vec<u8>) -> Result<Bundle, ContentError> {
    let work = tokio::task::spawn_blocking(move || Bundle::read(bytes));
    Ok(work.await.map_err(|_| ContentError::Stopped)??)
}

/// Is it what the network did, rather than the file?
#[must_use]
pub const fn is_upstream(error: &FetchError) -> bool {
    !matches!(error, FetchError::Form)
}

/// The title of a node, where it has one.
pub(super) fn title(node: &Value) -> String {
    node["title"].as_str().or_else(|| node["alt"].as_str()).unwrap_or_default().to_owned()
}
