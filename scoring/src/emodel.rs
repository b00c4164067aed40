//! The E-model, ITU-T G.107 (06/2015), and the equipment impairments of G.113 Appendix I.
//!
//! An estimate from the share and the burstiness of lost packets: it cannot see dead air (a hole of
//! 260 ms in a call of one minute still rates 4.3), so it is shown with its inputs and decides nothing alone.

mod transmission;

pub use transmission::{Equipment, Rating, Transmission};

/// MOS of a rating, G.107 Annex B; not below 1, where the cubic dips to 0.989 for small R.
#[must_use]
pub fn mos(r: f64) -> f64 {
    if r <= 0.0 {
        1.0
    } else if r >= 100.0 {
        4.5
    } else {
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
    }
}

/// The rating of a MOS, G.107 Appendix I: what [`mos`] makes it of, 6.5 to 100. A MOS below 1 counts as 1, one above
/// 4.5 as 4.5.
#[must_use]
pub fn rating_of(mos: f64) -> f64 {
    let mos = mos.clamp(1.0, 4.5);
    let root = (-903_522.0 + 1_113_960.0 * mos - 202_500.0 * mos * mos).sqrt();
    let h = (15.0 * root).atan2(18_566.0 - 6_750.0 * mos) / 3.0;
    20.0 / 3.0 * (8.0 - 226_f64.sqrt() * (h + std::f64::consts::FRAC_PI_3).cos())
}

/// Estimated listening quality (MOS-LQ, RFC 3611 4.7.5) of G.711 with Appendix I concealment and the
/// default set otherwise. `ppl_percent`: lost and discarded packets of those expected.
#[must_use]
pub fn mos_lq(ppl_percent: f64, burst_ratio: f64) -> f64 {
    mos_lq_of(Equipment::G711_CONCEALED, ppl_percent, burst_ratio)
}

/// The same of other equipment.
#[must_use]
pub fn mos_lq_of(equipment: Equipment, ppl_percent: f64, burst_ratio: f64) -> f64 {
    let connection = Transmission {
        equipment,
        ppl_percent,
        burst_ratio,
        ..Transmission::default()
    };
    mos(connection.rate().r_listening())
}

/// Burst ratio (G.107 3): mean length of the observed loss runs over the mean that random loss of the
/// same share would give, at least 1; 1 where nothing was lost.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "packet counts of one stream")]
pub fn burst_ratio(impaired: u64, runs: u64, expected: u64) -> f64 {
    if runs == 0 || expected == 0 {
        return 1.0;
    }
    let share = impaired as f64 / expected as f64;
    (impaired as f64 / runs as f64 * (1.0 - share)).max(1.0)
}

#[cfg(test)]
mod tests;
