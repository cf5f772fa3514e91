//! Renderers of 0.1 written instruction by instruction: what no compiler would make of a language.

use std::fmt::Write as _;

/// Where the manifest lies: six texts and two lists, a pointer and a length each.
const MANIFEST: u32 = 1024;
/// Where the word lies that it says everywhere.
const WORD: u32 = 2048;
pub(crate) const ID: &str = "handmade";

/// A component that a test bends in one place.
pub(crate) struct Handmade {
    /// The manifest's pointers and lengths, in its order.
    pub(crate) manifest: [(u32, u32); 8],
    /// Further bytes, and where they lie.
    pub(crate) data: Vec<(u32, Vec<u8>)>,
    /// What the module has besides: tables, functions, a start.
    pub(crate) module: String,
    /// What the component has beside its one instance.
    pub(crate) component: String,
    /// What its module is given.
    pub(crate) with: String,
    /// What `render` does, ending with the address of its result.
    pub(crate) render: String,
    /// What the allocator gives back.
    pub(crate) realloc: String,
}

impl Default for Handmade {
    fn default() -> Self {
        let word = (WORD, ID.len() as u32);
        Self {
            // Its only handle is a text, which lies behind the manifest.
            manifest: [word, word, word, word, word, word, (MANIFEST + 64, 1), (0, 0)],
            data: vec![(WORD, ID.into()), (MANIFEST + 64, pair(word))],
            module: String::new(),
            component: String::new(),
            with: String::new(),
            render: "unreachable".into(),
            realloc: "i32.const 32768".into(),
        }
    }
}

/// A pointer and a length as they lie in memory.
pub(crate) fn pair((pointer, length): (u32, u32)) -> Vec<u8> {
    [pointer.to_le_bytes(), length.to_le_bytes()].concat()
}

impl Handmade {
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut data = String::new();
        let manifest = self.manifest.into_iter().flat_map(pair).collect();
        for (place, bytes) in self.data.iter().chain([&(MANIFEST, manifest)]) {
            write!(data, "(data (i32.const {place}) \"").unwrap();
            for byte in bytes {
                write!(data, "\\{byte:02x}").unwrap();
            }
            data.push_str("\")\n");
        }
        let Self { module, component, with, render, realloc, .. } = self;
        wat::parse_str(format!(
            r#"(component
  {component}
  (core module $m
    {module}
    (memory (export "memory") 2)
    {data}
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc})
    (func (export "describe") (result i32) i32.const {MANIFEST})
    (func (export "validate") (param i32 i32 i32 i32) (result i32) i32.const 512)
    (func (export "render") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {render}))
  (core instance $i (instantiate $m {with}))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (type $t-attribute (record (field "key" string) (field "value" string)))
  (export $attribute "attribute" (type $t-attribute))
  (type $t-manifest (record (field "id" string) (field "name" string) (field "version" string)
    (field "author" string) (field "licence" string) (field "description" string)
    (field "handles" (list string)) (field "attributes" (list $attribute))))
  (export $manifest "manifest" (type $t-manifest))
  (type $t-severity (enum "error" "warning" "info" "hint"))
  (export $severity "severity" (type $t-severity))
  (type $t-position (record (field "line" u32) (field "column" u32)))
  (export $position "position" (type $t-position))
  (type $t-diagnostic (record (field "severity" $severity) (field "code" string)
    (field "message" string) (field "start" (option $position)) (field "end" (option $position))))
  (export $diagnostic "diagnostic" (type $t-diagnostic))
  (type $t-error-kind (enum "invalid-input" "unsupported" "denied" "cancelled" "limit" "upstream"
    "internal"))
  (export $error-kind "error-kind" (type $t-error-kind))
  (type $t-error (record (field "kind" $error-kind) (field "message" string)
    (field "diagnostics" (list $diagnostic)) (field "retry-after-ms" (option u32))))
  (export $error "error" (type $t-error))
  (type $t-request (record (field "format" string) (field "source" string)
    (field "width" (option u32)) (field "height" (option u32))
    (field "options" (list $attribute))))
  (export $request "request" (type $t-request))
  (type $t-image (record (field "media-type" string) (field "width" u32) (field "height" u32)
    (field "data" (list u8)) (field "warnings" (list $diagnostic))))
  (export $image "image" (type $t-image))
  (type $describe (func (result $manifest)))
  (type $validate (func (param "format" string) (param "source" string)
    (result (list $diagnostic))))
  (type $render (func (param "request" $request) (result (result $image (error $error)))))
  (func $f-describe (type $describe)
    (canon lift (core func $i "describe") (memory $memory)))
  (func $f-validate (type $validate)
    (canon lift (core func $i "validate") (memory $memory) (realloc $realloc)))
  (func $f-render (type $render)
    (canon lift (core func $i "render") (memory $memory) (realloc $realloc)))
  (instance $rendering
    (export "attribute" (type $attribute)) (export "manifest" (type $manifest))
    (export "severity" (type $severity)) (export "position" (type $position))
    (export "diagnostic" (type $diagnostic)) (export "error-kind" (type $error-kind))
    (export "error" (type $error)) (export "request" (type $request))
    (export "image" (type $image))
    (export "describe" (func $f-describe)) (export "validate" (func $f-validate))
    (export "render" (func $f-render)))
  (export "flyball:plugin/rendering@0.1.0" (instance $rendering)))"#
        ))
        .unwrap_or_else(|error| panic!("{error}"))
    }
}
