import org.jspecify.annotations.NullMarked;

/** Exchange between ranks: collectives on tensors, agreement between hosts. */
@NullMarked
module dev.duoka.comm {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.ffi;
  requires transitive dev.duoka.tensor;

  exports dev.duoka.comm;
  exports dev.duoka.comm.launch;
  exports dev.duoka.comm.local;
  exports dev.duoka.comm.meta;
  exports dev.duoka.comm.nccl;
  exports dev.duoka.comm.peer;
  exports dev.duoka.comm.tcp;
}
