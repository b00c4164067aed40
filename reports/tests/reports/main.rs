//! The reports of sample runs.

#[cfg(test)]
mod analysis;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod excerpts;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod plots;
#[cfg(test)]
mod rendering;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod searches;
