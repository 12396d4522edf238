//! What must not be read from the database's file, even by those who have it.

use std::path::Path;

use api::Account;
use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn passwords_and_tokens_are_nowhere_in_the_file() {
    let site = Site::start().await;
    let password = "a password that can be searched for";
    let link = site.setup_token().await;
    let body = json!({"token": link, "name": "searchable-name", "password": password});
    let made = site.post_json("/api/setup", &body).send().await;
    let _: Account = made.ok();
    let cookie = made.headers["set-cookie"].to_str().expect("cookies are ASCII");
    let session = cookie.split(['=', ';']).nth(1).expect("a value").to_owned();
    let unused_link = site.setup_token().await;

    let bytes = files_of(&site);
    assert!(contains(&bytes, b"searchable-name"), "this is where accounts are");
    assert!(contains(&bytes, b"$argon2id$v=19$m=19456,t=2,p=1$"), "the password's hash is as strong as promised");
    for secret in [password, &link, &session, &unused_link] {
        assert!(!contains(&bytes, secret.as_bytes()), "{secret} is in the file");
        let as_number = u128::from_str_radix(secret, 16).map(u128::to_be_bytes);
        assert!(!as_number.is_ok_and(|number| contains(&bytes, &number)), "{secret} is in the file as bytes");
    }
}

/// Everything in the data folder, the write-ahead log included.
fn files_of(site: &Site) -> Vec<u8> {
    bytes_below(site.folder.path())
}

fn bytes_below(path: &Path) -> Vec<u8> {
    if path.is_file() {
        return std::fs::read(path).expect("a readable file");
    }
    let files = std::fs::read_dir(path).expect("the folder can be listed");
    files.flat_map(|file| bytes_below(&file.expect("a file").path())).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
