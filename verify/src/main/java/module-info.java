import org.jspecify.annotations.NullMarked;

/** Proof that the engine computes what others compute, and a mesh what one rank does. */
@NullMarked
module dev.duoka.verify {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.layout;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.tensor;
  requires transitive dev.duoka.comm;
  requires transitive dev.duoka.engine;
  requires transitive dev.duoka.model;
  requires transitive dev.duoka.data;
  requires transitive dev.duoka.parallel;
  requires transitive dev.duoka.train;

  exports dev.duoka.verify.parity;
  exports dev.duoka.verify.selftest;
}
