import org.jspecify.annotations.NullMarked;

/** Runs: their configuration, the training loop, checkpoints, generation, export. */
@NullMarked
module dev.duoka.train {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.layout;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.hardware;
  requires transitive dev.duoka.machine;
  requires transitive dev.duoka.tensor;
  requires transitive dev.duoka.comm;
  requires transitive dev.duoka.engine;
  requires transitive dev.duoka.model;
  requires transitive dev.duoka.data;
  requires transitive dev.duoka.parallel;
  requires java.management;
  requires org.snakeyaml.engine;
  requires tools.jackson.databind;

  exports dev.duoka.train.checkpoint;
  exports dev.duoka.train.config;
  exports dev.duoka.train.config.binding;
  exports dev.duoka.train.device;
  exports dev.duoka.train.evaluate;
  exports dev.duoka.train.export;
  exports dev.duoka.train.generate;
  exports dev.duoka.train.memory;
  exports dev.duoka.train.placement;
  exports dev.duoka.train.run;
  exports dev.duoka.train.schedule;
  exports dev.duoka.train.snapshot;
  exports dev.duoka.train.step;
}
