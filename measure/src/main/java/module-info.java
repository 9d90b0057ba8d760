import org.jspecify.annotations.NullMarked;

/** Measurements: whole steps, single kernels, where a step's time goes, other programs. */
@NullMarked
module dev.duoka.measure {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.layout;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.hardware;
  requires transitive dev.duoka.tensor;
  requires transitive dev.duoka.comm;
  requires transitive dev.duoka.engine;
  requires transitive dev.duoka.model;
  requires transitive dev.duoka.data;
  requires transitive dev.duoka.parallel;
  requires transitive dev.duoka.train;
  requires tools.jackson.databind;

  exports dev.duoka.measure.calibrate;
  exports dev.duoka.measure.comm;
  exports dev.duoka.measure.kernel;
  exports dev.duoka.measure.peer;
  exports dev.duoka.measure.profile;
  exports dev.duoka.measure.step;
}
