#include "CSenteSystem.h"
