use std::collections::BTreeMap;

use feedline_proto::v1;
use serde_json::{Value, json};

use super::mixing;
use crate::import::node::shortened;
use crate::import::report::Report;

/// Whether these are arguments of a training run: `args.yaml`, which timm's `train.py` writes beside its checkpoints.
pub(super) fn are_of_a_run(values: &BTreeMap<String, Value>) -> bool {
    ["aa", "reprob", "train_interpolation"].iter().any(|name| values.contains_key(*name))
}

/// What `train.py` calls otherwise than `create_transform`.
const NAMES: [(&str, &str); 6] = [
    ("aa", "auto_augment"),
    ("recount", "re_count"),
    ("remode", "re_mode"),
    ("reprob", "re_prob"),
    ("resplit", "re_split"),
    ("train_interpolation", "interpolation"),
];

/// A place among arguments of `create_transform` as one in the file.
pub(super) fn place(place: &str) -> String {
    let name = place.strip_prefix("timm.").unwrap_or_default();
    let own = NAMES.iter().find(|(_, theirs)| *theirs == name);
    own.map_or_else(|| place.to_owned(), |(own, _)| format!("timm.{own}"))
}

/// Makes arguments of a run those of `create_transform` that `train.py` makes of them. What they leave to the model stands in its
/// configuration, as far as that is known.
pub(super) fn translate(
    values: &mut BTreeMap<String, Value>,
    model: &BTreeMap<String, Value>,
    report: &mut Report,
    spec: &mut v1::LoaderSpec,
) {
    mixing::read(values, report, spec);
    let mut left: Vec<String> = Vec::new();
    let mut take = |names: &[&str]| -> usize {
        let before = values.len();
        values.retain(|name, _| !names.contains(&&**name));
        before - values.len()
    };
    let unread = take(NOT_ABOUT_IMAGES);
    values.retain(|name, value| {
        let own = OF_THE_SPEC.contains(&&**name);
        left.extend((own && !value.is_null()).then(|| name.clone()));
        !own
    });
    if unread > 0 {
        let why = "not read: about model, optimizer, schedule, logging and evaluation";
        report.notice("timm", format!("{unread} arguments"), why);
    }
    if !left.is_empty() {
        report.notice("timm", left.join(", "), "not read: dataset, batch and seed are said in the loader spec");
    }
    let mut said = |name: &str| values.remove(name).filter(|value| !value.is_null() && *value != json!(""));
    for name in ["in_chans", "chans"] {
        if let Some(value) = said(name).filter(|value| *value != json!(3)) {
            report.unsupported(&format!("timm.{name}"), &value, "images have 3 channels");
        }
    }
    let (size, side) = (said("input_size"), said("img_size"));
    let size = size.or_else(|| side.map(|side| json!([3, side, side]))).or_else(|| model.get("input_size").cloned());
    let mut resolved = vec![("input_size", "img_size", size)];
    for name in ["mean", "std"] {
        let value = said(name).or_else(|| model.get(name).cloned());
        // One number stands for all channels.
        let value = value.map(|value| match value.as_array().map(Vec::as_slice) {
            Some([one]) => json!([one, one, one]),
            _ => value,
        });
        resolved.push((name, name, value));
    }
    let plain = values.get("no_aug") == Some(&json!(true));
    let mut said = |name: &str| values.remove(name).filter(|value| !value.is_null() && *value != json!(""));
    let (own, evaluation) = (said("train_interpolation").filter(|_| !plain), said("interpolation"));
    let filter = own.or(evaluation).or_else(|| model.get("interpolation").cloned());
    resolved.push(("interpolation", "interpolation", filter));
    for (name, place, value) in resolved {
        match value {
            Some(value) => {
                values.insert(name.into(), value);
            }
            None => {
                let why = "the model's own, which is not in this file: give its config.json with --model-config";
                report.unsupported(&format!("timm.{place}"), "null", why);
            }
        }
    }
    for (name, why) in [
        ("aug_splits", "several versions of a row for one loss: name them as views in the loader spec"),
        ("aug_repeats", "several versions of a row in one batch: name them as views in the loader spec"),
    ] {
        if let Some(value) = values.remove(name).filter(|value| value.as_f64() != Some(0.0) && !value.is_null()) {
            report.unsupported(&format!("timm.{name}"), shortened(&value), why);
        }
    }
    for (own, theirs) in NAMES {
        if let Some(value) = values.remove(own) {
            values.insert(theirs.into(), value);
        }
    }
    values.insert("is_training".into(), json!(true));
}

/// Arguments that a loader spec has too, with numbers of its own.
const OF_THE_SPEC: &[&str] = &[
    "batch_size",
    "class_map",
    "data",
    "data_dir",
    "dataset",
    "epoch_repeats",
    "seed",
    "train_num_samples",
    "train_split",
];

/// Arguments of `train.py` that change no image of a training, from timm 0.4 to 1.0.
#[rustfmt::skip]
const NOT_ABOUT_IMAGES: &[&str] = &[
    "amp", "amp_dtype", "amp_impl", "apex_amp", "bce_loss", "bce_pos_weight", "bce_sum", "bce_target_thresh", "bn_eps",
    "bn_momentum", "bn_tf", "channels_last", "checkpoint_hist", "clip_grad", "clip_mode", "config", "cooldown_epochs",
    "cooldown_prefix", "corrected_weight_decay", "crop_mode", "crop_pct", "dataset_download", "dataset_trust_remote_code",
    "decay_epochs", "decay_milestones", "decay_rate", "device", "device_modules", "dist_bn", "distributed", "drop", "drop_block",
    "drop_connect", "drop_path", "epochs", "eval_metric", "experiment", "fast_norm", "fuser", "gp", "grad_accum_steps",
    "grad_checkpointing", "head_init_bias", "head_init_scale", "initial_checkpoint", "input_img_mode", "input_key", "jsd_loss",
    "kd_model_name", "layer_decay", "layer_decay_min_scale", "layer_decay_no_opt_scale", "local_rank", "log_interval", "log_wandb",
    "lr", "lr_base", "lr_base_scale", "lr_base_size", "lr_cycle_decay", "lr_cycle_limit", "lr_cycle_mul", "lr_k_decay",
    "lr_noise", "lr_noise_pct", "lr_noise_std", "min_lr", "model", "model_dtype", "model_ema", "model_ema_decay",
    "model_ema_force_cpu", "model_ema_warmup", "model_kwargs", "momentum", "native_amp", "no_ddp_bb", "no_prefetcher",
    "no_resume_opt", "num_classes", "opt", "opt_betas", "opt_eps", "opt_foreach", "opt_kwargs", "output", "patience_epochs",
    "pin_mem", "prefetcher", "pretrained", "pretrained_path", "rank", "recovery_interval", "resume", "save_images", "sched",
    "sched_on_updates", "split_bn", "start_epoch", "sync_bn", "synchronize_step", "target_key", "torchcompile",
    "torchcompile_mode", "torchscript", "tta", "use_multi_epochs_loader", "val_num_samples", "val_split",
    "validation_batch_size", "wandb_project", "wandb_resume_id", "wandb_tags", "warmup_epochs", "warmup_lr", "warmup_prefix",
    "weight_decay", "worker_seeding", "workers", "world_size",
];
