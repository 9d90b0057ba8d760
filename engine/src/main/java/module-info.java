import org.jspecify.annotations.NullMarked;

/** Differentiable functions, parameters in flat storage, precision, optimizer and ranks. */
@NullMarked
module dev.duoka.engine {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.layout;
  requires transitive dev.duoka.tensor;

  exports dev.duoka.engine.autograd;
  exports dev.duoka.engine.function;
  exports dev.duoka.engine.optimizer;
  exports dev.duoka.engine.parameter;
  exports dev.duoka.engine.precision;
}
