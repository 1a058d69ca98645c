use std::io::Write;
use std::path::Path;

use feedline_proto::v1::{Dtype, Tensor};

use super::Failure;

/// Writes a tensor as a NumPy file, format 1.0. Through a file beside it, so that a full disk leaves no half of one.
///
/// # Errors
/// If the dtype has no name there (BF16), or the file can't be written.
pub(super) fn write(path: &Path, tensor: &Tensor, bytes: &[u8]) -> Result<(), Failure> {
    let descr = match tensor.dtype() {
        Dtype::Uint8 => "|u1",
        Dtype::Fp16 => "<f2",
        Dtype::Fp32 => "<f4",
        Dtype::Int64 => "<i8",
        Dtype::Bf16 | Dtype::Unspecified => {
            return Err(Failure::usage("bf16 has no type in .npy files; ask for f16 or f32 with -o"));
        }
    };
    let mut shape: String = tensor.shape.iter().map(|side| format!("{side}, ")).collect();
    if tensor.shape.len() > 1 {
        shape.truncate(shape.len() - 2);
    }
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // Magic, version and length take ten bytes; data begins at a multiple of 64.
    let padded = (10 + header.len() + 1).next_multiple_of(64) - 11;
    header.extend(std::iter::repeat_n(' ', padded - header.len()));
    header.push('\n');
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = (|| {
        let mut builder = tempfile::Builder::new();
        // Temporary files are private by default. Less the umask, this is what any new file gets.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&(header.len() as u16).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        file.write_all(bytes)?;
        file.flush()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok::<_, std::io::Error>(())
    })();
    written.map_err(|error| Failure::new(format!("can't write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_header_that_numpy_documents() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.npy");
        let tensor =
            |dtype: Dtype, shape: &[u64]| Tensor { dtype: dtype.into(), shape: shape.into(), ..Default::default() };
        write(&path, &tensor(Dtype::Int64, &[2]), &[1; 16]).expect("written");
        let bytes = std::fs::read(&path).expect("there");
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert!(bytes[10..128].starts_with(b"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"));
        assert_eq!((bytes[127], bytes.len()), (b'\n', 144));
        write(&path, &tensor(Dtype::Uint8, &[1, 2, 3]), &[1; 6]).expect("written");
        assert!(
            std::fs::read(&path).expect("there")[10..]
                .starts_with(b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3), }")
        );
        assert_eq!(write(&path, &tensor(Dtype::Bf16, &[1]), &[0; 2]).expect_err("no bf16").code, 2);
        let missing = write(&folder.path().join("no/a.npy"), &tensor(Dtype::Uint8, &[1]), &[1]).expect_err("no folder");
        assert!(missing.message.contains("no/a.npy"));
    }

    #[test]
    fn files_can_be_read_by_whoever_may_read_any_new_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (plain, path) = (folder.path().join("plain"), folder.path().join("a.npy"));
        std::fs::write(&plain, "").expect("writable");
        let tensor = Tensor { dtype: Dtype::Uint8.into(), shape: vec![1], ..Default::default() };
        write(&path, &tensor, &[1]).expect("written");
        let permissions = |path| std::fs::metadata(path).expect("there").permissions();
        assert_eq!(permissions(&path), permissions(&plain));
    }
}
