//! What a user agent says of itself, as far as a plain reading goes. Google's own tables are not public.

use super::state::State;
use super::value::{Shape, Value};

/// Browsers by the sign before their version, those first that also name others.
const BROWSERS: [(&str, &str, &str); 12] = [
    ("Edg/", "Edge", "EDGE"),
    ("Edge/", "Edge", "EDGE"),
    ("OPR/", "Opera", "OPERA"),
    ("Opera/", "Opera", "OPERA"),
    ("SamsungBrowser/", "Samsung Browser", "SAMSUNG"),
    ("CriOS/", "Chrome", "CHROME"),
    ("Chrome/", "Chrome", "CHROME"),
    ("FxiOS/", "Firefox", "FIREFOX"),
    ("Firefox/", "Firefox", "FIREFOX"),
    ("Version/", "Safari", "SAFARI"),
    ("MSIE ", "Internet Explorer", "MSIE"),
    ("curl/", "curl", "CURL"),
];

/// Platforms by a sign that names them.
const PLATFORMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "Macintosh"),
    ("CrOS", "CrOS"),
    ("Linux", "Linux"),
];

/// The parts of a user agent as an object. It never fails: what is not known is left out.
pub(super) fn parse(state: &mut State, agent: &str) -> Value {
    let made = state.make(Shape::Object);
    let mut set = |name: &str, text: &str| {
        if !text.is_empty() {
            let (key, text) = (state.symbols.intern(name), state.keep(text));
            state.set_member(made, key, Value::Text(text));
        }
    };
    let version = |sign: &str| {
        let (_, behind) = agent.split_once(sign)?;
        Some(behind.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').next().unwrap_or(""))
    };
    let browser = BROWSERS.iter().find_map(|(sign, name, family)| Some((name, family, version(sign)?)));
    match browser {
        Some((name, family, version)) => {
            set("family", family);
            set("browser", name);
            set("browser_version", version);
        }
        None => set("family", "USER_DEFINED"),
    }
    let engine = ["AppleWebKit/", "Gecko/", "Trident/"].into_iter().find_map(version);
    set("browser_engine_version", engine.unwrap_or(""));
    if let Some((_, platform)) = PLATFORMS.iter().find(|(sign, _)| agent.contains(sign)) {
        set("platform", platform);
    }
    let os = ["Windows ", "Android ", "Mac OS X ", "iPhone OS "].into_iter().find_map(|sign| {
        let (_, behind) = agent.split_once(sign)?;
        let end = behind.find([';', ')']).unwrap_or(behind.len());
        Some(behind[..end].trim())
    });
    set("os_variant", os.unwrap_or(""));
    Value::Container(made)
}
