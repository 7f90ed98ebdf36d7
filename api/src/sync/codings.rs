//! Bodies that are compressed long before they are asked for, but for their end, which only the request brings.
//!
//! Each of the three codings has a way to say "now some bytes as they are": what is compressed is closed at the
//! border of a byte, and the end is put behind it. So the large part is compressed once, at leisure and as small as it
//! can be, and is shared by all answers.

use std::io::{Read, Write};

use actix_web::http::header::{AcceptEncoding, ContentEncoding, Encoding, Preference, Quality};
use actix_web::web::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

/// 2 MiB: as much as these bodies have, a quarter of what decoders of HTTP must take (RFC 9659), and a fraction of
/// the memory that compressing takes with the largest.
const WINDOW: u8 = 21;

/// A gzip header with neither name nor time (RFC 1952 §2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];

/// How much work the codings are worth.
#[derive(Debug, Clone, Copy)]
pub struct Levels {
    /// Of brotli, up to 11.
    pub brotli: i32,
    /// Of zstd, up to 22.
    pub zstd: i32,
    /// Of gzip, up to 9.
    pub gzip: u32,
}

/// The beginning of a body in one coding.
pub struct Beginning {
    coding: ContentEncoding,
    bytes: Bytes,
    /// What gzip's trailer is made from.
    crc: Crc,
}

impl Beginning {
    /// Compresses `text`, which is not empty: zstd writes a frame's header with its first byte.
    pub fn new(coding: ContentEncoding, text: &[u8], levels: Levels) -> std::io::Result<Self> {
        let mut crc = Crc::new();
        let bytes = match coding {
            ContentEncoding::Brotli => brotli(text, levels.brotli)?,
            ContentEncoding::Zstd => zstd(text, levels.zstd)?,
            ContentEncoding::Gzip => {
                crc.update(text);
                gzip(text, levels.gzip)?
            }
            _ => text.to_vec(),
        };
        Ok(Self { coding, bytes: bytes.into(), crc })
    }

    /// Its coding.
    pub fn coding(&self) -> ContentEncoding {
        self.coding
    }

    /// Its bytes, to which an end belongs.
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// What follows [`Beginning::bytes`] in a body that ends with `text`: from 1 byte to 64 KiB.
    pub fn end(&self, text: &[u8]) -> Vec<u8> {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let text = &text[..usize::from(length)];
        match self.coding {
            ContentEncoding::Brotli => {
                // RFC 7932 §9.2: not the last, four nibbles of length, uncompressed; then an empty last one.
                let header = (u32::from(length).saturating_sub(1) << 3) | (1 << 19);
                [&header.to_le_bytes()[..3], text, &[0x03]].concat()
            }
            ContentEncoding::Zstd => {
                // RFC 8878 §3.1.1.2: the last block, raw.
                let header = (u32::from(length) << 3) | 1;
                [&header.to_le_bytes()[..3], text].concat()
            }
            ContentEncoding::Gzip => {
                // RFC 1951 §3.2.4: the last block, stored.
                let mut crc = Crc::new();
                crc.combine(&self.crc);
                crc.update(text);
                let (size, inverse) = (length.to_le_bytes(), (!length).to_le_bytes());
                let (sum, amount) = (crc.sum().to_le_bytes(), crc.amount().to_le_bytes());
                [&[1], &size[..], &inverse[..], text, &sum[..], &amount[..]].concat()
            }
            _ => text.to_vec(),
        }
    }

    /// The text, from zstd.
    pub fn text(&self) -> std::io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let whole = [&self.bytes[..], &self.end(b"")[..]].concat();
        zstd::stream::read::Decoder::new(whole.as_slice())?.read_to_end(&mut text)?;
        Ok(text)
    }
}

fn brotli(text: &[u8], level: i32) -> std::io::Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: level,
        lgwin: WINDOW.into(),
        size_hint: text.len(),
        ..Default::default()
    };
    let mut encoder = brotli::CompressorWriter::with_params(Vec::new(), 1 << 16, &params);
    encoder.write_all(text)?;
    encoder.flush()?;
    Ok(encoder.get_ref().clone())
}

fn zstd(text: &[u8], level: i32) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level)?;
    encoder.window_log(WINDOW.into())?;
    encoder.write_all(text)?;
    encoder.flush()?;
    Ok(encoder.get_ref().clone())
}

fn gzip(text: &[u8], level: u32) -> std::io::Result<Vec<u8>> {
    let mut deflate = Compress::new(Compression::new(level), false);
    let mut bytes = GZIP_HEADER.to_vec();
    loop {
        let read = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        bytes.reserve(1 << 16);
        deflate.compress_vec(&text[read..], &mut bytes, FlushCompress::Full)?;
        // With room left, everything is read and the flush is through.
        if bytes.len() < bytes.capacity() {
            return Ok(bytes);
        }
    }
}

/// Of the codings that are ready, the one to answer with: the most wanted, and of those equally wanted the first.
/// `None` to send the text as it is.
pub fn choose(accepted: &AcceptEncoding, ready: impl Iterator<Item = ContentEncoding>) -> Option<ContentEncoding> {
    let quality = |coding: ContentEncoding| {
        let named = |item: &Preference<Encoding>| *item == Preference::Specific(Encoding::Known(coding));
        let wild = |item: &Preference<Encoding>| *item == Preference::Any;
        let of = |wanted: &dyn Fn(&Preference<Encoding>) -> bool| accepted.iter().find(|item| wanted(&item.item));
        of(&named).or_else(|| of(&wild)).map_or(Quality::ZERO, |item| item.quality)
    };
    let mut best = None;
    for coding in ready {
        let quality = quality(coding);
        if quality > best.map_or(Quality::ZERO, |(_, best)| best) {
            best = Some((coding, quality));
        }
    }
    best.map(|(coding, _)| coding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{ACCEPT_ENCODING, Header};
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    const QUICK: Levels = Levels { brotli: 3, zstd: 3, gzip: 3 };

    fn decode(coding: ContentEncoding, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let read = match coding {
            ContentEncoding::Brotli => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut text),
            ContentEncoding::Zstd => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut text),
            ContentEncoding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut text),
            _ => unreachable!(),
        };
        read.unwrap();
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_body_reads_as_its_beginning_and_its_end(
            words in prop::collection::vec("[a-z]{1,9}|[0-9a-f]{32}", 1..3000),
            end in "[ -~]{1,400}",
        ) {
            let text = words.join(",").into_bytes();
            for coding in [ContentEncoding::Brotli, ContentEncoding::Zstd, ContentEncoding::Gzip] {
                let beginning = Beginning::new(coding, &text, QUICK).unwrap();
                for end in [end.as_bytes(), b"!"] {
                    let whole = [&beginning.bytes()[..], &beginning.end(end)[..]].concat();
                    prop_assert!(decode(coding, &whole) == [&text[..], end].concat(), "{coding:?}");
                }
            }
            prop_assert_eq!(Beginning::new(ContentEncoding::Zstd, &text, QUICK).unwrap().text().unwrap(), text);
        }
    }

    #[test]
    fn the_most_wanted_of_what_is_ready_is_chosen() {
        use ContentEncoding::{Brotli, Gzip, Zstd};
        let chosen = |header: &str, ready: &[ContentEncoding]| {
            let request = TestRequest::get().insert_header((ACCEPT_ENCODING, header)).to_srv_request();
            choose(&AcceptEncoding::parse(&request).unwrap(), ready.iter().copied())
        };
        let all = [Brotli, Zstd, Gzip];
        assert_eq!(chosen("gzip, deflate, br", &all), Some(Brotli));
        assert_eq!(chosen("gzip, deflate, br", &[Zstd, Gzip]), Some(Gzip));
        assert_eq!(chosen("gzip;q=1, zstd;q=0.5", &all), Some(Gzip));
        assert_eq!(chosen("*", &all), Some(Brotli));
        assert_eq!(chosen("br;q=0, *;q=0.1", &all), Some(Zstd));
        assert_eq!(chosen("identity", &all), None);
        assert_eq!(chosen("", &all), None);
    }
}
