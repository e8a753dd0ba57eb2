//! What pictures and music tell of themselves: where one was taken, and who plays the other. Only the head of a file is
//! looked at, and nothing but a few short values is kept.

use std::io::Cursor;

use exif::{In, Rational, Tag, Value};
use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::AudioFile;
use lofty::tag::Accessor;
use serde::{Deserialize, Serialize};

/// The bytes that are looked at.
pub const HEAD: u64 = 1 << 20;

/// The characters that are kept of a text.
const LONGEST: usize = 250;

/// What a file tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// Of music.
    pub audio: Option<Audio>,
    /// Of a picture.
    pub location: Option<Location>,
}

/// What a piece of music is. At least one of them is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// Who plays it.
    pub artist: Option<String>,
    /// What it is part of.
    pub album: Option<String>,
    /// What it is called.
    pub title: Option<String>,
}

/// Where a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
}

/// Whether files of a media type may tell anything.
pub fn may_tell(mime: &str) -> bool {
    const PICTURES: [&str; 7] =
        ["image/jpeg", "image/tiff", "image/png", "image/webp", "image/heic", "image/heif", "image/avif"];
    mime.starts_with("audio/") || PICTURES.contains(&mime)
}

/// Reads the head of a file; whatever it is, it does no harm.
pub fn read(head: &[u8]) -> Media {
    Media { audio: audio(head), location: location(head) }
}

fn location(head: &[u8]) -> Option<Location> {
    let exif = exif::Reader::new().read_from_container(&mut Cursor::new(head)).ok()?;
    let degrees = |tag, reference, negative: &[u8]| {
        let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
        let [degrees, minutes, seconds] = <[Rational; 3]>::try_from(parts.as_slice()).ok()?.map(|part| part.to_f64());
        let Value::Ascii(letters) = &exif.get_field(reference, In::PRIMARY)?.value else { return None };
        let sign = if letters.first()?.as_slice() == negative { -1.0 } else { 1.0 };
        Some(sign * (degrees + minutes / 60.0 + seconds / 3600.0))
    };
    let latitude = degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, b"S")?;
    let longitude = degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, b"W")?;
    // Neither is true of what is no number.
    (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some(Location { latitude, longitude })
}

fn audio(head: &[u8]) -> Option<Audio> {
    let options = ParseOptions::new().read_properties(false).read_cover_art(false).parsing_mode(ParsingMode::Relaxed);
    let mut reader = Cursor::new(head);
    let audio = match head {
        [b'I', b'D', b'3', ..] => told_by(lofty::mpeg::MpegFile::read_from(&mut reader, options).ok()?.id3v2()?),
        [b'f', b'L', b'a', b'C', ..] => {
            told_by(lofty::flac::FlacFile::read_from(&mut reader, options).ok()?.vorbis_comments()?)
        }
        [b'O', b'g', b'g', b'S', ..] if head.get(28..36) == Some(b"OpusHead") => {
            told_by(lofty::ogg::OpusFile::read_from(&mut reader, options).ok()?.vorbis_comments())
        }
        [b'O', b'g', b'g', b'S', ..] => {
            told_by(lofty::ogg::VorbisFile::read_from(&mut reader, options).ok()?.vorbis_comments())
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => {
            told_by(lofty::mp4::Mp4File::read_from(&mut reader, options).ok()?.ilst()?)
        }
        _ => return None,
    };
    (audio != Audio::default()).then_some(audio)
}

fn told_by(tag: &impl Accessor) -> Audio {
    let plain = |text: Option<std::borrow::Cow<'_, str>>| {
        let text: String =
            text?.chars().filter(|c| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')).take(LONGEST).collect();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    Audio { artist: plain(tag.artist()), album: plain(tag.album()), title: plain(tag.title()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// ID3v2.4 with a text frame.
    fn mp3(frame: [u8; 4], text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len() + 1).unwrap();
        let header = [b"ID3\x04\0\0\0\0\0".as_slice(), &[length + 10], &frame, &[0, 0, 0, length, 0, 0, 3]].concat();
        [header.as_slice(), text.as_bytes(), b"\xff\xfb\x90\0", &[0; 413]].concat()
    }

    /// EXIF with a place, each part of it in whole degrees, minutes and seconds.
    fn tiff(latitude: [u32; 3], longitude: [u32; 3], letters: [u8; 2]) -> Vec<u8> {
        let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
        };
        let rationals = |parts: [u32; 3]| parts.map(|part| [part.to_le_bytes(), 1_u32.to_le_bytes()].concat()).concat();
        [
            b"II*\0\x08\0\0\0\x01\0".to_vec(),
            entry(0x8825, 4, 1, 26_u32.to_le_bytes()),
            vec![0, 0, 0, 0, 4, 0],
            entry(1, 2, 2, [letters[0], 0, 0, 0]),
            entry(2, 5, 3, 80_u32.to_le_bytes()),
            entry(3, 2, 2, [letters[1], 0, 0, 0]),
            entry(4, 5, 3, 104_u32.to_le_bytes()),
            vec![0, 0, 0, 0],
            rationals(latitude),
            rationals(longitude),
        ]
        .concat()
    }

    #[test]
    fn music_tells_what_it_is() {
        let audio = |frame: &[u8; 4], text: &str| read(&mp3(*frame, text)).audio;
        let title = |title: &str| Some(Audio { title: Some(title.to_owned()), ..Audio::default() });
        assert_eq!(audio(b"TIT2", "Lieder \u{1F3B5}"), title("Lieder \u{1F3B5}"));
        assert_eq!(audio(b"TIT2", " a\u{7}b\n "), title("ab"));
        assert_eq!(audio(b"TIT2", " "), None);
        assert_eq!(audio(b"TPE1", "Artist").unwrap().artist.as_deref(), Some("Artist"));
        assert_eq!(audio(b"TALB", "Album").unwrap().album.as_deref(), Some("Album"));
        assert_eq!(audio(b"TIT2", &"x".repeat(100)).unwrap().title.unwrap().len(), 100);
    }

    #[test]
    fn a_picture_tells_where_it_was_taken() {
        let place = |bytes: &[u8]| read(bytes).location.map(|place| (place.latitude, place.longitude));
        assert_eq!(place(&tiff([51, 30, 0], [0, 15, 36], *b"NE")), Some((51.5, 0.26)));
        assert_eq!(place(&tiff([51, 30, 0], [0, 15, 36], *b"SW")), Some((-51.5, -0.26)));
        assert_eq!(place(&tiff([91, 0, 0], [0, 0, 0], *b"NE")), None);
        assert_eq!(place(&tiff([0, 0, 0], [180, 0, 1], *b"NE")), None);
    }

    #[test]
    fn what_tells_nothing_tells_nothing() {
        for bytes in
            [b"".as_slice(), b"ID3", b"fLaC", b"OggS", b"\0\0\0\x08ftyp", b"II*\0", b"\xff\xd8\xff\xe1", b"text"]
        {
            assert_eq!(read(bytes), Media::default());
        }
        assert!(may_tell("audio/x-odd") && may_tell("image/jpeg") && !may_tell("image/gif") && !may_tell("text/plain"));
    }

    proptest! {
        #[test]
        fn any_file_is_survived(sample in 0..6_usize, cut in 0..500_usize, changes in prop::collection::vec((0..500_usize, any::<u8>()), 0..8)) {
            let mut bytes = match sample {
                0 => mp3(*b"TIT2", "title"),
                1 => tiff([1, 2, 3], [4, 5, 6], *b"NE"),
                2 => b"fLaC\0\0\0\x22".to_vec(),
                3 => b"OggS\0\x02".to_vec(),
                4 => b"\0\0\0\x10ftypM4A \0\0\0\0\0\0\0\x08moov".to_vec(),
                _ => b"\xff\xd8\xff\xe1\0\x20Exif\0\0".to_vec(),
            };
            bytes.resize(bytes.len() + 64, 0);
            for (place, byte) in changes {
                if let Some(at) = bytes.get_mut(place) {
                    *at = byte;
                }
            }
            bytes.truncate(cut);
            let _ = read(&bytes);
        }
    }
}
