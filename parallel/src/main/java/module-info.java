import org.jspecify.annotations.NullMarked;

/** The one place that knows both ranks and models: how a training step runs on several ranks. */
@NullMarked
module dev.duoka.parallel {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.layout;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.tensor;
  requires transitive dev.duoka.comm;
  requires transitive dev.duoka.engine;
  requires transitive dev.duoka.model;
  requires transitive dev.duoka.data;

  exports dev.duoka.parallel.function;
  exports dev.duoka.parallel.mesh;
  exports dev.duoka.parallel.plan;
  exports dev.duoka.parallel.proof;
  exports dev.duoka.parallel.schedule;
  exports dev.duoka.parallel.state;
  exports dev.duoka.parallel.step;
  exports dev.duoka.parallel.dryrun;
}
