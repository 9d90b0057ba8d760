import org.jspecify.annotations.NullMarked;

/**
 * What stands beside a run: it is started, watched, explained and started again from here, by a
 * small JVM of its own that holds no tensors and reads only what the run's processes write.
 */
@NullMarked
module dev.duoka.operations {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires dev.duoka.diagnosis;
  requires dev.duoka.machine;
  requires java.net.http;
  requires jdk.httpserver;
  requires jdk.net;

  exports dev.duoka.operations.control;
  exports dev.duoka.operations.process;
  exports dev.duoka.operations.run;
  exports dev.duoka.operations.supervise;
  exports dev.duoka.operations.watch;
}
