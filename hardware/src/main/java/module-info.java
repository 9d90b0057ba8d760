import org.jspecify.annotations.NullMarked;

/** Facts about hardware as data: cards, links, hosts and prices, with their sources. */
@NullMarked
module dev.duoka.hardware {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;

  exports dev.duoka.hardware;

  // The reader of YAML reads the data file out of this module.
  opens dev.duoka.hardware to
      dev.duoka.formats;
}
