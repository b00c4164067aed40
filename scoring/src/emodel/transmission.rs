//! The rating of a connection by its transmission parameters: G.107 clause 7.

/// The transmission parameters of G.107 table 1, in its units (dB, dBm0p, ms, percent).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transmission {
    /// Send loudness rating, dB.
    pub slr: f64,
    /// Receive loudness rating, dB.
    pub rlr: f64,
    /// Overall loudness rating, dB: SLR + RLR.
    pub olr: f64,
    /// Sidetone masking rating, dB.
    pub stmr: f64,
    /// Listener sidetone rating, dB: STMR + Dr.
    pub lstr: f64,
    /// D-value of the telephone, send side.
    pub ds: f64,
    /// Talker echo loudness rating, dB.
    pub telr: f64,
    /// Weighted echo path loss, dB.
    pub wepl: f64,
    /// Mean one-way delay of the echo path, ms.
    pub echo_path_ms: f64,
    /// Round-trip delay in a 4-wire loop, ms.
    pub round_trip_ms: f64,
    /// Absolute delay in echo-free connections, ms.
    pub absolute_ms: f64,
    /// Quantisation distortion units.
    pub qdu: f64,
    /// Equipment impairment.
    pub equipment: Equipment,
    /// Random packet loss probability, percent: network loss and discards together.
    pub ppl_percent: f64,
    /// Burst ratio: 1 for random loss.
    pub burst_ratio: f64,
    /// Circuit noise referred to the 0 dBr point, dBm0p.
    pub nc: f64,
    /// Noise floor at the receive side, dBmp.
    pub nfor: f64,
    /// Room noise at the send side, dB(A).
    pub ps: f64,
    /// Room noise at the receive side, dB(A).
    pub pr: f64,
    /// Delay sensitivity sT.
    pub sensitivity: f64,
    /// Minimum perceivable delay mT, ms.
    pub perceivable_ms: f64,
    /// Advantage factor A.
    pub advantage: f64,
}

/// Codec impairment and robustness, G.113 Appendix I.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equipment {
    /// Ie: equipment impairment factor at no loss.
    pub ie: f64,
    /// Bpl: packet-loss robustness factor.
    pub bpl: f64,
}

impl Equipment {
    /// G.711 that plays silence for a lost packet.
    pub const G711: Self = Self { ie: 0.0, bpl: 4.3 };
    /// G.711 with the concealment of its Appendix I.
    pub const G711_CONCEALED: Self = Self { ie: 0.0, bpl: 25.1 };
    /// G.729 Annex A with voice activity detection.
    pub const G729A: Self = Self {
        ie: 11.0,
        bpl: 19.0,
    };
    /// G.723.1 at 6.3 kbit/s with voice activity detection.
    pub const G723_1: Self = Self {
        ie: 15.0,
        bpl: 16.1,
    };
    /// GSM enhanced full rate.
    pub const GSM_EFR: Self = Self { ie: 5.0, bpl: 10.0 };
}

impl Default for Transmission {
    /// The default set of G.107 table 2.
    fn default() -> Self {
        Self {
            slr: 8.0,
            rlr: 2.0,
            olr: 10.0,
            stmr: 15.0,
            lstr: 18.0,
            ds: 3.0,
            telr: 65.0,
            wepl: 110.0,
            echo_path_ms: 0.0,
            round_trip_ms: 0.0,
            absolute_ms: 0.0,
            qdu: 1.0,
            equipment: Equipment::G711,
            ppl_percent: 0.0,
            burst_ratio: 1.0,
            nc: -70.0,
            nfor: -64.0,
            ps: 35.0,
            pr: 35.0,
            sensitivity: 1.0,
            perceivable_ms: 100.0,
            advantage: 0.0,
        }
    }
}

/// The parts of R, G.107 7.1: `R = ro - is - idte - idle - idd - ie_eff + advantage`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rating {
    /// Basic signal-to-noise ratio (7.2).
    pub ro: f64,
    /// Simultaneous impairment (7.3).
    pub is: f64,
    /// Talker echo (7.4).
    pub idte: f64,
    /// Listener echo (7.4).
    pub idle: f64,
    /// Too long absolute delay (7.4).
    pub idd: f64,
    /// Effective equipment impairment (7.5).
    pub ie_eff: f64,
    /// Advantage (7.6).
    pub advantage: f64,
}

impl Rating {
    /// The transmission rating factor R of a conversation.
    #[must_use]
    pub fn r(&self) -> f64 {
        self.r_listening() - self.idte - self.idle - self.idd
    }

    /// R of listening alone: Id is 0.
    #[must_use]
    pub fn r_listening(&self) -> f64 {
        self.ro - self.is - self.ie_eff + self.advantage
    }
}

impl Transmission {
    /// Rates the connection, G.107 clause 7.
    #[must_use]
    pub fn rate(&self) -> Rating {
        let noise = self.noise();
        let ro = 15.0 - 1.5 * (self.slr + noise);
        let ist = self.sidetone_impairment();
        Rating {
            ro,
            is: self.loudness_impairment(noise) + ist + self.quantising_impairment(ro),
            idte: self.talker_echo(noise, ist),
            idle: self.listener_echo(ro),
            idd: self.absolute_impairment(),
            ie_eff: self.effective_equipment_impairment(),
            advantage: self.advantage,
        }
    }

    /// No: power addition of the noise sources (7.2).
    pub(super) fn noise(&self) -> f64 {
        let nfo = self.nfor + self.rlr;
        let sources = [
            self.nc,
            self.noise_of_sender(),
            self.noise_of_receiver(),
            nfo,
        ];
        10.0 * sources.map(power).iter().sum::<f64>().log10()
    }

    /// Nos: room noise at the send side (7.2).
    pub(super) fn noise_of_sender(&self) -> f64 {
        self.ps - self.slr - self.ds - 100.0 + 0.004 * (self.ps - self.olr - self.ds - 14.0).powi(2)
    }

    /// Nor: room noise at the receive side (7.2).
    pub(super) fn noise_of_receiver(&self) -> f64 {
        let pre = self.effective_room_noise();
        self.rlr - 121.0 + pre + 0.008 * (pre - 35.0).powi(2)
    }

    /// Pre: what Pr is with the sidetone (7.2).
    pub(super) fn effective_room_noise(&self) -> f64 {
        self.pr + 10.0 * (1.0 + power(10.0 - self.lstr)).log10()
    }

    /// Iolr: too loud a connection (7.3).
    pub(super) fn loudness_impairment(&self, noise: f64) -> f64 {
        let x = self.loudness(noise) / 8.0;
        20.0 * (root_of_one_plus(x, 8.0) - x)
    }

    /// Xolr (7.3).
    pub(super) fn loudness(&self, noise: f64) -> f64 {
        self.olr + 0.2 * (64.0 + noise - self.rlr)
    }

    /// `STMRo`: the sidetone with the talker's echo (7.3).
    pub(super) fn sidetone(&self) -> f64 {
        let echo = (-self.echo_path_ms / 4.0).exp() * power(-self.telr);
        -10.0 * (power(-self.stmr) + echo).log10()
    }

    /// Ist: sidetone that is not optimum (7.3).
    pub(super) fn sidetone_impairment(&self) -> f64 {
        let stmro = self.sidetone();
        12.0 * root_of_one_plus((stmro - 13.0) / 6.0, 8.0)
            - 28.0 * root_of_one_plus((stmro + 1.0) / 19.4, 35.0)
            - 13.0 * root_of_one_plus((stmro - 3.0) / 33.0, 13.0)
            + 29.0
    }

    /// Iq: quantising distortion (7.3).
    pub(super) fn quantising_impairment(&self, ro: f64) -> f64 {
        let q = 37.0 - 15.0 * self.qdu.log10();
        let g = 1.07 + 0.258 * q + 0.0602 * q * q;
        let y = (ro - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0;
        let z = 46.0 / 30.0 - g / 40.0;
        15.0 * (1.0 + 10_f64.powf(y) + 10_f64.powf(z)).log10()
    }

    /// Idte (7.4), 0 below 1 ms, where the formula would turn negative.
    pub(super) fn talker_echo(&self, noise: f64, ist: f64) -> f64 {
        let t = self.echo_path_ms;
        if t < 1.0 {
            return 0.0;
        }
        let re = 80.0 + 2.5 * (self.echo_loudness(ist) - 14.0);
        let half = (-1.5 * (noise - self.rlr) - re) / 2.0;
        let idte = (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - (-t).exp());
        if self.stmr > 20.0 {
            idte.hypot(ist)
        } else {
            idte
        }
    }

    /// TERV: how loud the talker's echo is, its delay counted in (7.4).
    pub(super) fn echo_loudness(&self, ist: f64) -> f64 {
        let t = self.echo_path_ms;
        let masking = if self.stmr < 9.0 { ist / 2.0 } else { 0.0 };
        let attenuation = 40.0 * ((1.0 + t / 10.0) / (1.0 + t / 150.0)).log10();
        self.telr - attenuation + 6.0 * (-0.3 * t * t).exp() + masking
    }

    /// Idle (7.4).
    pub(super) fn listener_echo(&self, ro: f64) -> f64 {
        let half = (ro - self.echo_of_listener()) / 2.0;
        half + (half * half + 169.0).sqrt()
    }

    /// Rle (7.4).
    pub(super) fn echo_of_listener(&self) -> f64 {
        10.5 * (self.wepl + 7.0) * (self.round_trip_ms + 1.0).powf(-0.25)
    }

    /// Idd (7.4); the exponent is 6 sT.
    pub(super) fn absolute_impairment(&self) -> f64 {
        if self.absolute_ms <= self.perceivable_ms {
            return 0.0;
        }
        let x = (self.absolute_ms / self.perceivable_ms).log2();
        let k = 6.0 * self.sensitivity;
        25.0 * (root_of_one_plus(x, k) - 3.0 * root_of_one_plus(x / 3.0, k) + 2.0)
    }

    /// Ie,eff (7.5).
    pub(super) fn effective_equipment_impairment(&self) -> f64 {
        let Equipment { ie, bpl } = self.equipment;
        ie + (95.0 - ie) * self.ppl_percent / (self.ppl_percent / self.burst_ratio + bpl)
    }
}

/// Decibels to a power ratio.
fn power(db: f64) -> f64 {
    10_f64.powf(db / 10.0)
}

/// `(1 + x^k)^(1/k)`.
fn root_of_one_plus(x: f64, k: f64) -> f64 {
    (1.0 + x.powf(k)).powf(1.0 / k)
}
