/**
 * Where the ranks of a run are, for people: {@link dev.duoka.train.placement.MeshPlacement} says
 * which rank is on which device and what lies between them, before anything runs; {@link
 * dev.duoka.train.placement.MeshPicture} draws it, {@link dev.duoka.train.placement.Explanation}
 * says why.
 */
@NullMarked
package dev.duoka.train.placement;

import org.jspecify.annotations.NullMarked;
