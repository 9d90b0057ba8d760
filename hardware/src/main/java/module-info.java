import org.jspecify.annotations.NullMarked;

/** Facts about hardware as data: cards, links, hosts, prices and error numbers. */
@NullMarked
module dev.duoka.hardware {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires tools.jackson.databind;

  exports dev.duoka.hardware;
  exports dev.duoka.hardware.xid;

  // The reader of YAML reads the data files out of this module.
  opens dev.duoka.hardware to
      dev.duoka.formats;
  opens dev.duoka.hardware.xid to
      dev.duoka.formats;
}
