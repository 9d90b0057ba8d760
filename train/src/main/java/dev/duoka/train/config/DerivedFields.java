package dev.duoka.train.config;

import dev.duoka.layout.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Fields that a run file may leave out and whose value follows from its other fields. */
final class DerivedFields {
  private DerivedFields() {}

  /** The missing values, each as {@code dotted.path=value}. */
  static List<String> of(RunConfig config) {
    List<String> values = new ArrayList<>();
    TrainingSettings training = config.training();
    if (training.microBatch().isEmpty()) {
      values.add("training.micro_batch=" + BatchPlan.of(config).microBatch());
    }
    DataSettings data = config.data();
    if (data.seed().isEmpty()) {
      values.add("data.seed=" + training.seed());
    }
    if (data.validationFraction().isEmpty()) {
      values.add("data.validation_fraction=" + data.heldOut());
    }
    if (data.onBadRecord().isEmpty()) {
      values.add("data.on_bad_record=" + data.badRecords().name().toLowerCase(Locale.ROOT));
    }
    if (data.field().isEmpty()) {
      switch (data.format()) {
        case TEXT -> {}
        case AUTO, JSONL, PARQUET -> values.add("data.field=text");
        case CHAT -> values.add("data.field=messages");
        case PAIRS -> {} // a record is read whole
      }
    }
    Precision precision = training.precision();
    if (config.optimizer().clipNorm().isEmpty()) {
      values.add("optimizer.clip_norm=" + precision.defaultClipNorm());
    }
    if (precision.scalesLoss() && config.lossScale().isEmpty()) {
      values.add("loss_scale={}");
    }
    if (data.hasPairs() && config.preference().isEmpty()) {
      values.add("preference={}");
    }
    ScheduleSettings schedule = config.schedule();
    if (schedule.kind().hasFinalFraction() && schedule.finalFraction().isEmpty()) {
      values.add("schedule.final_fraction=0.1");
    }
    if (schedule.kind() == ScheduleSettings.Kind.WARMUP_STABLE_DECAY) {
      if (schedule.decayFraction().isEmpty() && schedule.decaySteps().isEmpty()) {
        values.add("schedule.decay_fraction=0.1");
      }
      if (schedule.decayShape().isEmpty()) {
        values.add("schedule.decay_shape=sqrt");
      }
    }
    return values;
  }
}
