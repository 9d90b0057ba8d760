import org.jspecify.annotations.NullMarked;

/** Tensors with explicit lifetimes, their memory accounts, and the operators on them. */
@NullMarked
module dev.duoka.tensor {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires dev.duoka.ffi;

  exports dev.duoka.tensor;
  exports dev.duoka.tensor.kernel;
  exports dev.duoka.tensor.nf4;
  exports dev.duoka.tensor.op;
  exports dev.duoka.tensor.scaled;
}
