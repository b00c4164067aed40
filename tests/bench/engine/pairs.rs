//! Two sides in turns, and what the ratio of their figures is held against.

/// One run of one side.
pub(crate) struct Measured {
    /// The figure that is compared.
    pub(crate) figure: f64,
    /// The same and what else is worth knowing, in words.
    pub(crate) said: String,
}

/// What the median ratio, ours to theirs, has to be.
#[derive(Clone, Copy)]
pub(crate) enum Required {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Anything: the comparison is only shown.
    Nothing,
}

/// Runs both sides in turns, `pairs` times, prints every run and the median ratio of the figures. Which side goes
/// first changes from pair to pair, so that neither profits from what the other leaves behind.
pub(crate) fn compare(
    pairs: usize,
    ours: (&str, &dyn Fn() -> Measured),
    theirs: (&str, &dyn Fn() -> Measured),
    required: Required,
) {
    let mut ratios = Vec::new();
    for pair in 1..=pairs {
        let mut sides = [ours, theirs];
        if pair % 2 == 0 {
            sides.reverse();
        }
        let mut figures = sides.map(|(name, run)| {
            let measured = run();
            println!("  {pair:>2}  {name:<10} {}", measured.said);
            measured.figure
        });
        if pair % 2 == 0 {
            figures.reverse();
        }
        let ratio = figures[0] / figures[1];
        println!("      {} / {}: {ratio:.3}", ours.0, theirs.0);
        ratios.push(ratio);
    }
    let median = median(&mut ratios);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    println!(
        "  median {} / {} of {pairs} pairs: {median:.3} ({least:.3} to {most:.3}){}",
        ours.0,
        theirs.0,
        judged(median, required)
    );
}

/// The requirement and whether it is met.
fn judged(ratio: f64, required: Required) -> String {
    match required {
        Required::AtMost(limit) => {
            format!(
                "; required: at most {limit:.3}: {}",
                pass_or_fail(ratio <= limit)
            )
        }
        Required::AtLeast(limit) => {
            format!(
                "; required: at least {limit:.3}: {}",
                pass_or_fail(ratio >= limit)
            )
        }
        Required::Nothing => String::new(),
    }
}

/// In one word.
pub(crate) fn pass_or_fail(met: bool) -> &'static str {
    if met { "PASS" } else { "FAIL" }
}

/// The middle value, or halfway between the two in the middle; the values are sorted afterwards.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    f64::midpoint(values[(values.len() - 1) / 2], values[upper])
}
