//! The rows of the database held against the blobs of the object store, a stretch of their keys at
//! a time: orphans, which are blobs that no row names, and losses, which are parts of contents
//! whose blob is not there.
//!
//! The drive is in use meanwhile, and the rows are read a moment after the blobs are listed. So a
//! stretch where something is found is compared once more from the beginning, and only what is
//! found both times counts. A blob is recorded before it is stored, and the record goes after the
//! blob: one that no row names, and that is listed again thereafter, is an orphan. A part is linked
//! after its blob is stored: if it is not listed thereafter, and is linked still, the blob is lost.

use std::collections::{BTreeMap, HashSet};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ports::Blobs;
use crate::store::{Jobs, LostPart, Mended, Named};

/// Keys in a stretch.
const STRETCH: usize = 1_000;

/// Losses in a stretch; it ends at the last of them.
const MOST_LOSSES: usize = 50;

/// Files that are mended in one call.
const MOST_MENDED: usize = 50;

/// Comes after all keys.
const END: &str = "\u{10FFFF}";

/// What was found in a stretch of the keys.
pub struct Report {
    /// How many blobs there are.
    pub blobs: usize,
    /// How many parts of contents there are.
    pub parts: usize,
    /// Blobs that no row names.
    pub orphans: Vec<String>,
    /// Parts without their blob.
    pub losses: Vec<Loss>,
    /// The key after which to go on; none at the end.
    pub next: Option<String>,
}

/// A part of a content whose blob is not there.
pub struct Loss {
    /// The part.
    pub part: LostPart,
    /// What names the content.
    pub named: Named,
    /// What became of the first of its files, where they were to be mended. None for one that
    /// others kept changing.
    pub mended: Vec<Option<Mended>>,
    /// Whether the content is gone from all files and versions.
    pub is_mended: bool,
}

/// Checks the stretch after the key `after`. With `repair`, orphans become garbage, and lost
/// contents go from their files and versions; where these are many, the same stretch is next.
pub async fn check(cx: &Context<'_>, after: &str, repair: bool) -> Result<Report> {
    let shards = Jobs::all(cx.ports, &cx.meter);
    let found = find(cx, &shards, after).await?;
    let mut report = Report {
        blobs: found.blobs,
        parts: found.parts,
        orphans: found.orphans,
        losses: Vec::new(),
        next: (found.until != END).then_some(found.until),
    };
    if let (true, Some(jobs)) = (repair, shards.first()) {
        jobs.adopt_garbage(&report.orphans).await?;
    }
    let mut left = if repair { MOST_MENDED } else { usize::MAX };
    let mut before = after.to_owned();
    for (shard, part) in found.lost {
        if left == 0 {
            report.next = Some(before);
            break;
        }
        let jobs = shards.get(shard).ok_or_else(|| Error::internal("a database is gone"))?;
        let mut loss = Loss { named: jobs.named(&part.content_id).await?, part, mended: Vec::new(), is_mended: false };
        if repair {
            loss.mend(cx, jobs, &mut left).await?;
        }
        let is_cut_short = left == 0 && !loss.is_mended;
        let key = loss.part.key.clone();
        report.losses.push(loss);
        if is_cut_short {
            report.next = Some(before);
            break;
        }
        before = key;
    }
    Ok(report)
}

impl Loss {
    /// Mends up to `left` of the files, and the versions with the last of them.
    async fn mend(&mut self, cx: &Context<'_>, jobs: &Jobs, left: &mut usize) -> Result<()> {
        let content = &self.part.content_id;
        for file in self.named.files.iter().take(*left) {
            *left -= 1;
            self.mended.push(match cx.drive_of(file.account_id).mend(file.id, content).await {
                Ok(mended) => Some(mended),
                Err(Error::Raced(_)) => None,
                Err(error) => return Err(error),
            });
        }
        let all = self.mended.iter().flatten().count() == self.named.file_count;
        self.is_mended = all && jobs.forget_lost(content).await?;
        Ok(())
    }
}

/// What is found in a stretch, and is found again.
struct Found {
    blobs: usize,
    parts: usize,
    orphans: Vec<String>,
    /// With the number of the database that each is in.
    lost: Vec<(usize, LostPart)>,
    /// The last key of the stretch, or `END`.
    until: String,
}

async fn find(cx: &Context<'_>, shards: &[Jobs], after: &str) -> Result<Found> {
    let mut keys = cx.ports.blobs.list(after, STRETCH).await?;
    let mut until = keys.last().filter(|_| keys.len() == STRETCH).map_or(END, String::as_str).to_owned();
    let mut seen = compare(shards, &keys, after, &until, Some(MOST_LOSSES)).await?;
    if let Some((_, part)) = seen.lost.get(MOST_LOSSES - 1) {
        until.clone_from(&part.key);
        seen.lost.truncate(MOST_LOSSES);
        seen.unused.retain(|key, _| *key <= until);
        keys.retain(|key| *key <= until);
    }
    let mut found = Found {
        blobs: keys.len(),
        parts: keys.len() - seen.unused.len() + seen.lost.len(),
        orphans: seen.unused.into_iter().filter(|(_, is_garbage)| !is_garbage).map(|(key, _)| key).collect(),
        lost: seen.lost,
        until,
    };
    if !found.orphans.is_empty() || !found.lost.is_empty() {
        found.confirm(&*cx.ports.blobs, shards, after).await?;
    }
    Ok(found)
}

impl Found {
    /// Keeps what is found once more.
    async fn confirm(&mut self, blobs: &dyn Blobs, shards: &[Jobs], after: &str) -> Result<()> {
        let keys = list_until(blobs, after, &self.until).await?;
        let again = compare(shards, &keys, after, &self.until, None).await?;
        self.orphans.retain(|key| again.unused.get(key) == Some(&false));
        let missing: HashSet<&str> = again.lost.iter().map(|(_, part)| part.key.as_str()).collect();
        for (shard, part) in std::mem::take(&mut self.lost) {
            // What can be read is not lost, whatever the list says.
            if missing.contains(part.key.as_str()) && !blobs.has(&part.key).await? {
                self.lost.push((shard, part));
            }
        }
        Ok(())
    }
}

/// All keys after `after` up to `until`.
async fn list_until(blobs: &dyn Blobs, after: &str, until: &str) -> Result<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    loop {
        let listed = blobs.list(keys.last().map_or(after, String::as_str), STRETCH).await?;
        let is_end = listed.len() < STRETCH;
        keys.extend(listed);
        let within = keys.partition_point(|key| key.as_str() <= until);
        if is_end || within < keys.len() {
            keys.truncate(within);
            return Ok(keys);
        }
    }
}

/// What all databases together say of the keys.
#[derive(Default)]
struct Comparison {
    /// The blobs that none uses, and whether one knows them as garbage.
    unused: BTreeMap<String, bool>,
    lost: Vec<(usize, LostPart)>,
}

async fn compare(
    shards: &[Jobs],
    keys: &[String],
    after: &str,
    until: &str,
    most: Option<usize>,
) -> Result<Comparison> {
    let mut all = Comparison::default();
    for (shard, jobs) in shards.iter().enumerate() {
        let one = jobs.compare(keys, after, until, most).await?;
        let unused: BTreeMap<_, _> = one.unused.into_iter().map(|blob| (blob.key, blob.is_garbage != 0)).collect();
        if shard == 0 {
            all.unused = unused;
        } else {
            all.unused.retain(|key, is_garbage| {
                unused.get(key).inspect(|is_garbage_there| *is_garbage |= **is_garbage_there).is_some()
            });
        }
        all.lost.extend(one.lost.into_iter().map(|part| (shard, part)));
    }
    all.lost.sort_by(|(_, one), (_, other)| one.key.cmp(&other.key));
    Ok(all)
}
