/** A topology that was read as a machine of the catalogue's cards. */
package dev.duoka.planner.machine;
