//! The reports of sample runs.

#[cfg(test)]
mod analysis;
#[cfg(test)]
mod comparison;
#[cfg(test)]
mod days;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod disruptions;
#[cfg(test)]
mod excerpts;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod neighbours;
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
