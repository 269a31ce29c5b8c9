/* Forgets what types.h was told and what it defined. */

#undef NAME
#undef EXPAND
#undef PASTE
#undef T
#undef SUFFIX
#undef LANES
#undef IS_FLOAT
