//! Which vector instructions the machine has.

use super::cpu::Work;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// A set of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CpuLevel {
    /// None: plain integers.
    Portable,
    /// AVX2.
    Avx2,
    /// AVX-512 with byte masks (F, BW, VL).
    Avx512,
}

impl CpuLevel {
    /// The best that this machine has.
    pub(crate) fn best() -> CpuLevel {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            if avx2 {
                return if avx512 { CpuLevel::Avx512 } else { CpuLevel::Avx2 };
            }
        }
        CpuLevel::Portable
    }

    /// Every level that this machine has.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<CpuLevel> {
        let levels = [CpuLevel::Portable, CpuLevel::Avx2, CpuLevel::Avx512];
        levels.into_iter().filter(|level| *level <= CpuLevel::best()).collect()
    }
}

/// Does `work` with the instructions of `level`, or the best below it that the machine has.
pub(crate) fn with_cpu<W: Work>(level: CpuLevel, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        match level.min(CpuLevel::best()) {
            // SAFETY: `CpuLevel::best` has found these instructions on this machine.
            CpuLevel::Avx512 => return unsafe { x86::avx512(work) },
            // SAFETY: as above.
            CpuLevel::Avx2 => return unsafe { x86::avx2(work) },
            CpuLevel::Portable => {}
        }
    }
    let _ = level;
    work.run(Portable)
}
