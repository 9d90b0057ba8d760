/** Exchange between ranks: collectives on tensors, agreement between hosts. */
module dev.duoka.comm {
  requires dev.duoka.base;
  requires dev.duoka.ffi;
  requires transitive dev.duoka.tensor;
  requires static org.jspecify;

  exports dev.duoka.comm;
  exports dev.duoka.comm.local;
  exports dev.duoka.comm.meta;
}
