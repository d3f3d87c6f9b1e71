// Each module adds one behaviour; the page works without any of them.
import "./theme_toggle.js";
import "./zone.js";
import "./preset.js";
import "./message.js";
import "./connection.js";
import "./stream.js";
import "./picture.js";
import "./announcer.js";
import "./compare.js";
import "./finish.js";
import "./frame.js";
import "./run.js";
import "./verdict.js";
import "./lab.js";
import "./pile.js";
import "./experiment.js";
import "./carry.js";
