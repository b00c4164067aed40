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
        ratios.push(ratio_of([ours.0, theirs.0], figures));
    }
    conclude([ours.0, theirs.0], ratios, required);
}

/// The same of sides that run at once, ours first: what the machine does meanwhile it does to both.
pub(crate) fn compare_at_once(
    pairs: usize,
    names: [&str; 2],
    run: &dyn Fn() -> [Measured; 2],
    required: Required,
) {
    let pair = |pair| {
        let measured = run();
        for (name, side) in names.iter().zip(&measured) {
            println!("  {pair:>2}  {name:<10} {}", side.said);
        }
        ratio_of(names, measured.map(|side| side.figure))
    };
    conclude(names, (1..=pairs).map(pair).collect(), required);
}

/// The ratio of a pair's figures, printed.
fn ratio_of([ours, theirs]: [&str; 2], figures: [f64; 2]) -> f64 {
    let ratio = figures[0] / figures[1];
    println!("      {ours} / {theirs}: {ratio:.3}");
    ratio
}

/// Prints the median of the ratios, and whether it is as required.
fn conclude([ours, theirs]: [&str; 2], mut ratios: Vec<f64>, required: Required) {
    let median = median(&mut ratios);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    println!(
        "  median {ours} / {theirs} of {} pairs: {median:.3} ({least:.3} to {most:.3}){}",
        ratios.len(),
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
