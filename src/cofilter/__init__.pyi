"""The library's face: every name that ``from cofilter import …`` gives, and where it lives."""

from .models.als.model import ExplicitALS as ExplicitALS
from .models.als.model import ImplicitALS as ImplicitALS
from .models.baseline.model import BiasBaseline as BiasBaseline
from .models.baseline.model import GlobalMean as GlobalMean
from .models.baseline.model import Popularity as Popularity
from .models.baseline.model import RandomRanking as RandomRanking
from .models.baseline.model import RecentPopularity as RecentPopularity
from .models.bayes.model import BayesianFactorization as BayesianFactorization
from .models.bpr.model import BPR as BPR
from .models.ease.model import EASE as EASE
from .models.ensemble.model import Ensemble as Ensemble
from .models.graph.model import GraphFilter as GraphFilter
from .models.knn.model import ItemKNN as ItemKNN
from .models.knn.model import UserKNN as UserKNN
from .models.mf.factorization import MatrixFactorization as MatrixFactorization
from .models.mf.svdpp import SVDPlusPlus as SVDPlusPlus
from .models.ncf.model import ImplicitNetwork as ImplicitNetwork
from .models.ncf.model import RatingNetwork as RatingNetwork
from .recommender.base import Recommender as Recommender
from .recommender.people import People as People
from .recommender.store import load as load
from .reranking.config import RerankingConfig as RerankingConfig
from .reranking.reranker import Reranker as Reranker

__version__: str
