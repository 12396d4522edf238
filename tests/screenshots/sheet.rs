//! The contact sheet: each scene in every look, on one page that a person looks through in a minute.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tests::browser::{Browser, Medium, Scheme};

/// The width of the README's screenshots.
const README_WIDTH: u32 = 1280;
const WIDTHS: [u32; 4] = [360, 768, README_WIDTH, 1920];
const HEIGHT: u32 = 800;
/// How much of a long page the contact sheet shows, in CSS pixels.
const LONGEST: u32 = 2_000;
/// The scenes that the README shows.
const README_SCENES: [&str; 7] = ["entry", "results", "viewlog", "jobs", "system", "lab", "lab-trap"];
/// Limits the size of a clone.
const README_BYTES: usize = 150_000;

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Contact sheet</title>
<style>
  body { margin: 24px; background: #888; font: 14px/1.4 system-ui, sans-serif; color: #fff; }
  section { margin-bottom: 32px; }
  h2 { margin: 0 0 8px; font-size: 18px; }
  div { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; }
  figure { margin: 0; }
  img { display: block; width: auto; height: 300px; background: #fff; }
</style>
";

/// How a page is looked at.
#[derive(Clone, Copy)]
enum Look {
    Screen(u32, Scheme),
    /// 1280 pixels, of which a zoomed page has half.
    Zoomed,
    ForcedColours,
    Print,
}

impl Look {
    fn all() -> impl Iterator<Item = Self> {
        let screens = Scheme::ALL.into_iter().flat_map(|scheme| WIDTHS.map(|width| Self::Screen(width, scheme)));
        screens.chain([Self::Zoomed, Self::ForcedColours, Self::Print])
    }

    fn name(self) -> String {
        match self {
            Self::Screen(width, scheme) => format!("{}-{width}", scheme.as_str()),
            Self::Zoomed => "zoom-200".to_owned(),
            Self::ForcedColours => "forced-colours".to_owned(),
            Self::Print => "print".to_owned(),
        }
    }

    async fn apply(self, browser: &Browser) {
        let medium = match self {
            Self::Screen(_, scheme) => Medium::Screen(scheme),
            Self::Zoomed => Medium::Screen(Scheme::Light),
            Self::ForcedColours => Medium::ForcedColours,
            Self::Print => Medium::Print,
        };
        browser.emulate(medium).await;
        match self {
            Self::Screen(width, _) => browser.resize(width, HEIGHT).await,
            Self::Zoomed => browser.zoom(README_WIDTH, HEIGHT, 2).await,
            Self::ForcedColours => browser.resize(README_WIDTH, HEIGHT).await,
            // The width of a sheet of paper.
            Self::Print => browser.resize(794, 1123).await,
        }
    }
}

pub struct Sheet {
    readme: PathBuf,
    review: PathBuf,
    scenes: Vec<String>,
}

impl Sheet {
    /// `readme` gets the pictures of the README, `review` all of them and `index.html`.
    pub fn new(readme: PathBuf, review: PathBuf) -> Self {
        // No picture of an earlier run may pass for one of this run.
        let _ = fs::remove_dir_all(&review);
        Self { readme, review, scenes: Vec::new() }
    }

    /// Opens a page, waits for a text, and takes the scene.
    pub async fn open(&mut self, browser: &Browser, scene: &str, path: &str, text: &str) {
        browser.open(path).await;
        browser.wait_for_text(text).await;
        self.take(browser, scene).await;
    }

    /// Takes the page as it is shown, in every look.
    pub async fn take(&mut self, browser: &Browser, scene: &str) {
        self.take_after(browser, scene, "").await;
    }

    /// Runs a script before each picture: some things do not outlast a change of the window.
    pub async fn take_after(&mut self, browser: &Browser, scene: &str, script: &str) {
        for look in Look::all() {
            look.apply(browser).await;
            browser.script(script, vec![]).await;
            // What is fixed to the window's top would stand in the middle of the page.
            browser.script("scrollTo({top: 0, behavior: 'instant'})", vec![]).await;
            if matches!(look, Look::Screen(README_WIDTH, Scheme::Light)) && README_SCENES.contains(&scene) {
                let png = browser.screenshot().await;
                assert!(png.len() < README_BYTES, "{scene} has {} bytes", png.len());
                save(&self.readme, &format!("{scene}.png"), &png);
            }
            save(&self.review, &format!("{scene}-{}.png", look.name()), &browser.whole_page(LONGEST).await);
        }
        Look::Screen(README_WIDTH, Scheme::Light).apply(browser).await;
        self.scenes.push(scene.to_owned());
    }

    /// Writes the page that shows all scenes, and returns its path.
    pub fn finish(self) -> PathBuf {
        for scene in README_SCENES {
            assert!(self.scenes.iter().any(|taken| taken == scene), "the README's {scene} was not taken");
        }
        let mut page = HEAD.to_owned();
        for scene in &self.scenes {
            let _ = writeln!(page, "<section><h2>{scene}</h2><div>");
            for look in Look::all() {
                let look = look.name();
                let file = format!("{scene}-{look}.png");
                let _ = writeln!(
                    page,
                    "<figure><a href=\"{file}\"><img loading=\"lazy\" src=\"{file}\" alt=\"{scene}, {look}\"></a>\
                     <figcaption>{look}</figcaption></figure>"
                );
            }
            page.push_str("</div></section>\n");
        }
        save(&self.review, "index.html", page.as_bytes());
        self.review.join("index.html")
    }
}

fn save(folder: &Path, name: &str, content: &[u8]) {
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(folder.join(name), content).expect("the picture can be written");
}
