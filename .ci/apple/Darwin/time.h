// Half of what a C header of the package includes.
#pragma once
#include "DarwinC.h"
