//! Makes the client's programs easier to compress, and changes nothing that they do.
//!
//! wasm-bindgen sorts functions by their size. Brotli needs fewer bits for what was just there, so here each function
//! follows one that is like it. wasm-bindgen also gives each import a name with a hash, which no compression shortens;
//! here it has one or two letters. The names are the business of a program and its script alone.

mod similar;

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, ImportSection, Module};
use wasmparser::{CodeSectionReader, FunctionBody, FunctionSectionReader, Imports, Parser, Payload, TypeRef};

use crate::precompress::originals;

/// What wasm-bindgen calls its imports. A script has such a name only where it gives its program the import.
const IMPORT: &str = "__wb";
/// The program `search_bg.wasm` belongs to the script `search.js`.
const PROGRAM: &str = "_bg.wasm";

pub(crate) fn folder(folder: &Path) -> anyhow::Result<()> {
    for program_file in originals(folder)? {
        let Some(name) = program_file.to_str().and_then(|path| path.strip_suffix(PROGRAM)) else { continue };
        let script_file = format!("{name}.js");
        let script = fs::read_to_string(&script_file).with_context(|| format!("{script_file} cannot be read"))?;
        let (program, script) = packed(&fs::read(&program_file)?, &script)
            .with_context(|| format!("{} cannot be packed", program_file.display()))?;
        fs::write(&program_file, program)?;
        fs::write(&script_file, script)?;
    }
    Ok(())
}

fn packed(program: &[u8], script: &str) -> anyhow::Result<(Vec<u8>, String)> {
    let (imports, bodies) = read(program)?;
    let order = similar::order(&bodies.iter().map(FunctionBody::as_bytes).collect::<Vec<_>>());
    let imported = u32::try_from(imports.len())?;
    let mut packer = Packer { indices: (0..imported).chain(order.iter().map(|_| 0)).collect(), order, imports: 0 };
    for (place, &function) in packer.order.iter().enumerate() {
        packer.indices[imports.len() + function] = imported + u32::try_from(place)?;
    }
    let mut module = Module::new();
    packer.parse_core_module(&mut module, Parser::new(0), program).map_err(anyhow::Error::from)?;
    Ok((module.finish(), renamed(script, &imports)?))
}

/// The names of the imported functions, and the bodies of the others.
fn read(program: &[u8]) -> anyhow::Result<(Vec<&str>, Vec<FunctionBody<'_>>)> {
    let (mut imports, mut bodies) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(program) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let is_ours = matches!(import.ty, TypeRef::Func(_)) && import.name.starts_with(IMPORT);
                    ensure!(is_ours, "the import {} is no function of wasm-bindgen", import.name);
                    imports.push(import.name);
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => {}
        }
    }
    Ok((imports, bodies))
}

/// The script with the imports' short names.
fn renamed(script: &str, imports: &[&str]) -> anyhow::Result<String> {
    let mut script = script.to_owned();
    for (number, import) in imports.iter().enumerate() {
        let key = format!("{import}:");
        ensure!(script.matches(&key).count() == 1, "the script does not give {import} once");
        script = script.replace(&key, &format!("{}:", short_name(number)));
    }
    Ok(script)
}

/// `a`, `b`, …, `z`, `aa`, …: each number has its own.
fn short_name(number: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(number % 26).unwrap_or_default());
    match number / 26 {
        0 => letter.to_string(),
        rest => format!("{}{letter}", short_name(rest - 1)),
    }
}

/// Writes a program anew.
struct Packer {
    /// The functions with a body, in their new order.
    order: Vec<usize>,
    /// The new index of each function, those that are imported included.
    indices: Vec<u32>,
    /// How many imports are written.
    imports: usize,
}

impl Reencode for Packer {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(self.indices[function as usize])
    }

    fn parse_imports(&mut self, section: &mut ImportSection, imports: Imports<'_>) -> Result<(), Error> {
        for import in imports {
            let (_, import) = import?;
            section.import(import.module, &short_name(self.imports), self.entity_type(import.ty)?);
            self.imports += 1;
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for &function in &self.order.clone() {
            functions.function(self.type_index(types[function])?);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Result<(), Error> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for &function in &self.order.clone() {
            self.parse_function_body(code, bodies[function].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_its_own_name() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(short_name), ["a", "z", "aa", "az", "ba", "zz", "aaa"]);
    }

    #[test]
    fn a_script_gives_each_import_its_short_name() {
        let script = "const import0={__wbg_log_1:function(a){},__wbg_log_12:function(){wasm.__wbindgen_export()}}";
        let renamed = |imports: &[&str]| renamed(script, imports);
        assert_eq!(
            renamed(&["__wbg_log_12", "__wbg_log_1"]).expect("both are there"),
            "const import0={b:function(a){},a:function(){wasm.__wbindgen_export()}}"
        );
        renamed(&["__wbg_log_2"]).expect_err("the script has no such import");
    }
}
