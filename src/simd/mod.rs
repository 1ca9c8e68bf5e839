//! The one room with `unsafe`: vector instructions and unchecked copies, behind safe functions.
//!
//! Each variant of [`Cpu`] computes the same answers; which one runs is chosen once, by
//! [`CpuLevel::best`]. Miri has those that are enabled when it compiles, so it can run all of them.
#![allow(unsafe_code)]

mod cpu;
mod input;
mod level;
mod portable;
mod template;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use cpu::{Allowed, BLOCK, Cpu, Pattern, Work};
pub(crate) use input::{ByteSpan, PaddedInput};
pub(crate) use level::{CpuLevel, with_cpu};
pub(crate) use template::{Template, VALUES};
